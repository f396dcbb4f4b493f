import { setting } from '@evander/process';

/** The variables of API keys. */
export const API_KEY_SETTINGS = {
  adminKey: setting(
    'EVANDER_ADMIN_KEY',
    'secret',
    undefined,
    'First admin key of the API; if unset, one is generated and written to the data directory',
  ),
  apiFailuresPerAddress: setting(
    'EVANDER_API_FAILURES_PER_ADDRESS',
    'count',
    60,
    'API requests with an invalid key that one address may send within a minute before it gets 429; valid keys never wait',
  ),
  apiFailuresPerKey: setting(
    'EVANDER_API_FAILURES_PER_KEY',
    'count',
    20,
    'API requests within a minute, from all addresses together, with invalid keys that share their first 12 characters, before they get 429',
  ),
};
