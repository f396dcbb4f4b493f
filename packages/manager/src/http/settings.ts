import { setting } from '@evander/process';

/** The variables of the HTTP server. */
export const HTTP_SETTINGS = {
  apiPort: setting('EVANDER_API_PORT', 'port', 9410, 'Port for the HTTP API and its documentation'),
};
