import { startEmbeddedBroker } from '@evander/broker';
import { gatewayOptions, startGateway } from '@evander/gateway';
import { managerOptions, startManager } from '@evander/manager';
import { gatewaySecretOf } from '@evander/process';
import type { Log, Running } from '@evander/process';
import { randomBytes } from 'node:crypto';
import { storedSecret, prepareDataDir } from './data-dir.ts';
import { startDemo } from './demo.ts';
import { startOwnPostgres } from './own-postgres.ts';
import type { StartSettings } from './settings.ts';

export interface Evander extends Running {
  /** URL for stations, without the station id. */
  stationUrl: string;
  /** The same over TLS. */
  secureStationUrl: string | undefined;
  apiUrl: string;
  statusUrl: string;
  adminKey: string;
  dataDir: string;
}

/** Starts a gateway and a manager in this process. Without URLs for them it also starts its own broker and PostgreSQL. */
export async function start(settings: StartSettings, log: Log, { demo = false } = {}): Promise<Evander> {
  const dataDir = await prepareDataDir(settings.dataDir);
  const secret = settings.secret ?? (await storedSecret(dataDir, 'secret'));
  const adminKey = settings.adminKey ?? (await storedSecret(dataDir, 'admin-key', 'evk_'));
  // Started parts are stopped in reverse order, also when a later part cannot start.
  const started: Running[] = [];
  const close = async (): Promise<void> => {
    for (const part of started.splice(0).reverse()) await part.close();
  };

  try {
    const postgres =
      settings.databaseUrl === undefined
        ? await startOwnPostgres(dataDir, log)
        : { url: settings.databaseUrl };
    if ('close' in postgres) started.push(postgres);
    const mqttUrl = settings.mqttUrl ?? (await ownBroker(started));
    const unknownStations = settings.unknownStations ?? (isLoopback(settings.host) ? 'accept' : 'reject');
    const all = { ...settings, secret, adminKey, databaseUrl: postgres.url, mqttUrl, unknownStations };
    const manager = await startManager(managerOptions(all, log.child({ part: 'manager' })));
    started.push(manager);
    const gatewayLog = log.child({ part: 'gateway' });
    const gateway = await startGateway(
      gatewayOptions(
        { ...all, gatewaySecret: gatewaySecretOf(secret), managerUrl: reachable(manager.apiUrl) },
        gatewayLog,
      ),
    );
    started.push(gateway);
    if (demo) {
      started.push(
        await startDemo({ stationUrl: reachable(gateway.url), apiUrl: reachable(manager.apiUrl), adminKey }),
      );
    }
    return {
      stationUrl: gateway.url,
      secureStationUrl: gateway.secureUrl,
      apiUrl: manager.apiUrl,
      statusUrl: gateway.statusUrl,
      adminKey,
      dataDir,
      ...('failed' in postgres && { failed: postgres.failed }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function ownBroker(started: Running[]): Promise<string> {
  // It listens on loopback, where every user of this machine may connect.
  const broker = await startEmbeddedBroker({ password: randomBytes(24).toString('base64url') });
  started.push(broker);
  return broker.url;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

// A server that listens on all addresses is reachable on loopback.
function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}
