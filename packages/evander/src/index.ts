export { startEmbeddedPostgres } from './embedded-postgres.ts';
export { START_SETTINGS, start } from './start.ts';
export type { Evander, StartSettings } from './start.ts';
