import type { Gateway } from '@evander/gateway';
import { RPCClient } from 'ocpp-rpc';

/** A station based on a third-party OCPP library, which validates received messages against OCPP's schemas. */
export function foreignStation(
  gateway: Pick<Gateway, 'url'> | undefined,
  identity: string,
  options = {},
): RPCClient {
  const endpoint = gateway?.url ?? '';
  // Its types require every option, its documentation only these.
  const all = { endpoint, identity, protocols: ['ocpp1.6'], strictMode: true, reconnect: false, ...options };
  return new RPCClient(all as ConstructorParameters<typeof RPCClient>[0]);
}
