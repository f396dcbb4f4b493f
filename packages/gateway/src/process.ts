import type { ProcessOptions } from '@evander/process';
import { startGateway } from './gateway.ts';
import { gatewayOptions } from './options.ts';
import { GATEWAY_REQUIRED, GATEWAY_SETTINGS } from './settings.ts';

/** Runs the gateway as a separate process. */
export const gatewayProcess: ProcessOptions<typeof GATEWAY_SETTINGS, (typeof GATEWAY_REQUIRED)[number]> = {
  name: 'evander gateway',
  settings: GATEWAY_SETTINGS,
  required: GATEWAY_REQUIRED,
  start: async (settings, log) => {
    const gateway = await startGateway(gatewayOptions(settings, log));
    log.info(
      { stations: gateway.url, secureStations: gateway.secureUrl, status: gateway.statusUrl },
      'gateway started',
    );
    return gateway;
  },
};
