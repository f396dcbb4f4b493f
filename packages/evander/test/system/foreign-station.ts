import type { Gateway } from '@evander/gateway';
import { RPCClient } from 'ocpp-rpc';

/** A station on an OCPP client library that somebody else wrote; it checks what it is sent against OCPP's schemas. */
export function foreignStation(
  gateway: Pick<Gateway, 'url'> | undefined,
  identity: string,
  options = {},
): RPCClient {
  const endpoint = gateway?.url ?? '';
  // Its types ask for every option, its documentation for these.
  const all = { endpoint, identity, protocols: ['ocpp1.6'], strictMode: true, reconnect: false, ...options };
  return new RPCClient(all as ConstructorParameters<typeof RPCClient>[0]);
}
