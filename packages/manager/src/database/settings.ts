import { setting } from '@evander/process';

/** The variables of the database. */
export const DATABASE_SETTINGS = {
  databaseUrl: setting(
    'EVANDER_DATABASE_URL',
    'postgresUrl',
    undefined,
    'PostgreSQL 14 or newer; for TLS add ?sslmode=verify-full&sslrootcert=…. If unset, `start` runs its own',
  ),
  databasePoolSize: setting(
    'EVANDER_DATABASE_POOL_SIZE',
    'count',
    10,
    'Connections of one manager to PostgreSQL',
  ),
  exportMinutes: setting(
    'EVANDER_EXPORT_MINUTES',
    'count',
    30,
    'Minutes after which a CSV export is cut off',
  ),
};
