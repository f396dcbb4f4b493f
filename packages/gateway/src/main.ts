#!/usr/bin/env node
import { main } from '@evander/process';
import { startGateway } from './gateway.ts';
import { GATEWAY_SETTINGS, gatewayOptions } from './settings.ts';

await main({
  name: 'evander-gateway',
  settings: GATEWAY_SETTINGS,
  start: async (settings, log) => {
    const gateway = await startGateway(gatewayOptions(settings, log));
    log.info({ stations: gateway.url, status: gateway.statusUrl }, 'gateway started');
    return gateway;
  },
});
