import type { ProcessOptions } from '@evander/process';
import { startManager } from './manager.ts';
import { MANAGER_REQUIRED, MANAGER_SETTINGS, managerOptions } from './settings.ts';

/** How to run a manager as a process. */
export const managerProcess: ProcessOptions<typeof MANAGER_SETTINGS, (typeof MANAGER_REQUIRED)[number]> = {
  name: 'evander manager',
  settings: MANAGER_SETTINGS,
  required: MANAGER_REQUIRED,
  start: async (settings, log) => {
    const manager = await startManager(managerOptions(settings, log));
    log.info({ api: manager.apiUrl }, 'manager started');
    return manager;
  },
};
