import { GATEWAY_SETTINGS } from '@evander/gateway';
import { MANAGER_SETTINGS } from '@evander/manager';
import { setting } from '@evander/process';
import type { Settings } from '@evander/process';

const OWN_SETTINGS = {
  dataDir: setting(
    'EVANDER_DATA_DIR',
    'text',
    '.evander',
    'Directory in which `start` keeps its database, secret and first admin key',
  ),
};

// In one process the manager is known, and the gateways' secret is derived from that of the managers.
const KNOWN: string[] = ['managerUrl', 'gatewaySecret'];
const gatewaySettings = Object.fromEntries(
  Object.entries(GATEWAY_SETTINGS).filter(([name]) => !KNOWN.includes(name)),
) as Omit<typeof GATEWAY_SETTINGS, 'managerUrl' | 'gatewaySecret'>;

/** The variables that `start` reads: a gateway's, a manager's, and where its own data lie. */
export const START_SETTINGS = { ...gatewaySettings, ...MANAGER_SETTINGS, ...OWN_SETTINGS };

export type StartSettings = Settings<typeof START_SETTINGS>;

/** Every variable that a process of Evander reads. */
export const SETTINGS = { ...GATEWAY_SETTINGS, ...MANAGER_SETTINGS, ...OWN_SETTINGS };
