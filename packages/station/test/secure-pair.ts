import { once } from 'node:events';
import type { Server, ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Station, StationOptions } from '../src/index.ts';
import { Manager, quickStation } from './manager.ts';
import { OpenSsl } from './openssl.ts';
import { closeLater } from './setup.ts';

export const PASSWORD = '0001020304050607ffffffffffffffffffffffff';
export const CENTRAL = 'CentralSystemRootCertificate';

type Issued = ReturnType<OpenSsl['root']>;

/** A manager with a listener for ws and one for wss, whose certificate the root has signed. */
export type SecurePair = {
  manager: Manager;
  station: Station;
  openSsl: OpenSsl;
  root: Issued;
  tls: Server;
  wss: string;
};

/** Not connected yet. The station begins with profile 1 unless its options say more. */
export async function startSecurePair(
  options: (made: { openSsl: OpenSsl; root: Issued; wss: string }) => Partial<StationOptions> = () => ({}),
  server: ServerOptions = {},
): Promise<SecurePair> {
  const openSsl = closeLater(new OpenSsl());
  const root = openSsl.root('Root');
  const manager = closeLater(await new Manager().listen());
  const tls = await listen(manager, { ...openSsl.server(root), ...server });
  const wss = `wss://localhost:${(tls.address() as AddressInfo).port}/ocpp`;
  const { security, configuration, ...rest } = options({ openSsl, root, wss });
  const station = closeLater(
    quickStation(manager, {
      stationId: 'CP1',
      serialNumber: 'SERIAL-1',
      endpoints: { ws: manager.url, wss },
      ...rest,
      security: { attempts: 2, ...security },
      configuration: { SecurityProfile: '1', AuthorizationKey: PASSWORD, ...configuration },
    }),
  );
  manager.answers.SignCertificate = () => ({ status: 'Accepted' });
  return { manager, station, openSsl, root, tls, wss };
}

/** A listener for wss that is closed when the test ends. */
export async function listen(manager: Manager, options: ServerOptions, port = 0): Promise<Server> {
  const server = await manager.listenTls(options, port);
  closeLater({ close: async () => void server.close() });
  return server;
}

/** Connected and accepted. */
export async function bootSecurePair(...args: Parameters<typeof startSecurePair>): Promise<SecurePair> {
  const pair = await startSecurePair(...args);
  await pair.station.connect();
  await pair.station.boot();
  return pair;
}

/** The CSR that the station sends when it is asked to. */
export async function requestCsr(manager: Manager): Promise<string> {
  const before = manager.requests('SignCertificate').length;
  await manager.command('ExtendedTriggerMessage', { requestedMessage: 'SignChargePointCertificate' });
  await manager.until(() => manager.requests('SignCertificate').length > before);
  return manager.requests('SignCertificate').at(-1)?.csr ?? '';
}

/** The statuses of ChangeConfiguration(SecurityProfile). */
export async function upgrade(manager: Manager, profile: number): Promise<string> {
  const { status } = await manager.command('ChangeConfiguration', {
    key: 'SecurityProfile',
    value: String(profile),
  });
  return status;
}

/** Resolves once the manager has got this security event. */
export async function untilEvent(manager: Manager, type: string): Promise<void> {
  await manager.until(() =>
    manager.requests('SecurityEventNotification').some((event) => event.type === type),
  );
}

/** Resolves once the station has its socket. */
export async function untilConnected(station: Station): Promise<void> {
  if (!station.isConnected) await once(station, 'connected');
}

/** Resolves once the station has come in so, for the so-manieth time. */
export async function untilProfile(manager: Manager, profile: number, times = 1): Promise<void> {
  await manager.until(() => manager.handshakes.filter((one) => one.profile === profile).length >= times);
}
