export { startEmbeddedPostgres } from './embedded-postgres.ts';
export { SETTINGS, START_SETTINGS } from './settings.ts';
export type { StartSettings } from './settings.ts';
export { start } from './start.ts';
export type { Evander } from './start.ts';
