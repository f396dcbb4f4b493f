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

// In one process the manager is known, and the gateways' secret is derived from the managers'.
const KNOWN: string[] = ['managerUrl', 'gatewaySecret'];
const gatewaySettings = Object.fromEntries(
  Object.entries(GATEWAY_SETTINGS).filter(([name]) => !KNOWN.includes(name)),
) as Omit<typeof GATEWAY_SETTINGS, 'managerUrl' | 'gatewaySecret'>;

/** Settings that `start` reads: a gateway's, a manager's, and the data directory. */
export const START_SETTINGS = { ...gatewaySettings, ...MANAGER_SETTINGS, ...OWN_SETTINGS };

export type StartSettings = Settings<typeof START_SETTINGS>;

/** All settings of Evander's processes. */
export const SETTINGS = { ...GATEWAY_SETTINGS, ...MANAGER_SETTINGS, ...OWN_SETTINGS };
