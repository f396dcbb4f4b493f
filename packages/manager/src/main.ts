#!/usr/bin/env node
import { main } from '@evander/process';
import { startManager } from './manager.ts';
import { MANAGER_SETTINGS, managerOptions } from './settings.ts';

await main({
  name: 'evander-manager',
  settings: MANAGER_SETTINGS,
  start: async (settings, log) => {
    const manager = await startManager(managerOptions(settings, log));
    log.info({ api: manager.apiUrl }, 'manager started');
    return manager;
  },
});
