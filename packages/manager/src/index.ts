export { startManager } from './manager.ts';
export type { Manager } from './manager.ts';
export type { ManagerOptions } from './manager-options.ts';
export { managerProcess } from './process.ts';
export { MANAGER_SETTINGS, managerOptions } from './settings.ts';
export type { ManagerSettings } from './settings.ts';
