import type { Running } from '@evander/process';
import { Fleet } from '@evander/station';

export interface DemoOptions {
  stationUrl: string;
  apiUrl: string;
  adminKey: string;
}

const TAG = 'DEMO';

/** Adds a tag and three simulated stations that charge with it, one session after another, ten times as fast as real cars. */
export async function startDemo({ stationUrl, apiUrl, adminKey }: DemoOptions): Promise<Running> {
  const response = await fetch(`${apiUrl}/api/v1/tags/${TAG}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ status: 'Accepted', note: 'charges the simulated stations of --demo' }),
  });
  if (!response.ok)
    throw new Error(`the demo tag could not be added: ${response.status} ${await response.text()}`);
  const fleet = new Fleet({
    stations: 3,
    connectors: 2,
    prefix: 'DEMO',
    url: stationUrl,
    idTags: [TAG],
    speed: 10,
    pauseMs: 10_000,
    session: { meterValues: 30, intervalMs: 60_000 },
    drainMs: 3000,
  });
  await fleet.start();
  return { close: () => fleet.stop() };
}
