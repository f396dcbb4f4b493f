import { startEmbeddedBroker } from '@evander/broker';
import { startEmbeddedPostgres } from '@evander/evander';
import { gatewaySecretOf } from '@evander/process';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, run, treeOf } from './processes.ts';
import type { Watched } from './processes.ts';

const MAIN = fileURLToPath(new URL('../../evander/dist/main.js', import.meta.url));
const BASELINE = fileURLToPath(new URL('./baseline.js', import.meta.url));
const SECRET = 'a secret that is only for measuring, long enough';
export const ADMIN_KEY = 'evk_a-key-that-is-only-for-measuring-0123456789';

/** A broker for the benchmark. */
export interface Bench {
  mqttUrl: string;
  brokerName: string;
  broker: Watched | undefined;
  close(): Promise<void>;
}

/** Starts Mosquitto if it is installed, otherwise the embedded broker in this process. */
export async function startBroker(): Promise<Bench> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'evander-bench-'));
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(
    config,
    `listener ${port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n`,
  );
  const mosquitto = findMosquitto();
  if (mosquitto === undefined) {
    const broker = await startEmbeddedBroker();
    return {
      mqttUrl: broker.url,
      brokerName: 'embedded broker',
      broker: undefined,
      close: () => broker.close(),
    };
  }
  const broker = await run('broker', [mosquitto, '-c', config], {
    isReady: (output) => output.includes('running'),
  });
  return {
    mqttUrl: `mqtt://127.0.0.1:${port}`,
    brokerName: 'Mosquitto',
    broker,
    close: async () => {
      await broker.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

function findMosquitto(): string | undefined {
  for (const path of ['mosquitto', '/usr/sbin/mosquitto']) {
    try {
      execFileSync(path, ['-h'], { stdio: 'ignore' });
      return path;
    } catch (error) {
      // Its help exits with a non-zero status.
      if ((error as { code?: string }).code !== 'ENOENT') return path;
    }
  }
  return undefined;
}

/** Starts PostgreSQL with its normal durability on a temporary directory; counts statements if requested and the extension is available. */
export async function startDatabase({ countStatements = false } = {}): Promise<{
  url: string;
  watched: Watched;
}> {
  const dataDir = mkdtempSync(join(tmpdir(), 'evander-bench-postgres-'));
  const settings = {
    max_connections: 100,
    ...(countStatements && { shared_preload_libraries: 'pg_stat_statements' }),
  };
  const server = await startEmbeddedPostgres({ dataDir, settings });
  const pidFile = join(dataDir, 'cluster', 'data', 'postmaster.pid');
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  return {
    url: server.url,
    watched: {
      name: 'postgres',
      pids: () => treeOf(pid),
      stop: async () => {
        await server.stop();
        rmSync(dataDir, { recursive: true, force: true });
      },
    },
  };
}

/** Gateway settings for stations that share one address and send faster than any real one. */
export const UNLIMITED = {
  EVANDER_MAX_CONNECTIONS_PER_ADDRESS: '1000000',
  EVANDER_STATION_FRAMES_PER_SECOND: '1000000',
  EVANDER_STATION_BYTES_PER_SECOND: '1000000000',
  // Slow calls must be visible, not answered with an error.
  EVANDER_FAIL_FAST_SECONDS: '60',
};

export interface MeasuredSystem {
  url: string;
  apiUrl: string;
  gateway: Watched;
  manager: Watched;
}

/** Starts a gateway and a manager in separate processes with these settings. */
export async function startSystem(
  databaseUrl: string,
  mqttUrl: string,
  settings: NodeJS.ProcessEnv = {},
  gatewaySettings: NodeJS.ProcessEnv = {},
): Promise<MeasuredSystem> {
  const [wsPort, statusPort, apiPort] = [await freePort(), await freePort(), await freePort()];
  const common = {
    EVANDER_MQTT_URL: mqttUrl,
    EVANDER_LOG_LEVEL: 'error',
    NODE_ENV: 'production',
  };
  const manager = await run('manager', [process.execPath, MAIN, 'manager'], {
    env: {
      ...common,
      EVANDER_SECRET: SECRET,
      EVANDER_DATABASE_URL: databaseUrl,
      EVANDER_API_PORT: String(apiPort),
      EVANDER_ADMIN_KEY: ADMIN_KEY,
      EVANDER_UNKNOWN_STATIONS: 'accept',
      ...settings,
    },
    isReady: () => isServing(`http://127.0.0.1:${apiPort}/health/ready`),
  });
  const gateway = await run('gateway', [process.execPath, MAIN, 'gateway'], {
    env: {
      ...common,
      EVANDER_GATEWAY_SECRET: gatewaySecretOf(SECRET),
      EVANDER_WS_PORT: String(wsPort),
      EVANDER_WSS_PORT: '0',
      EVANDER_GATEWAY_STATUS_PORT: String(statusPort),
      EVANDER_MANAGER_URL: `http://127.0.0.1:${apiPort}`,
      ...gatewaySettings,
    },
    isReady: () => isServing(`http://127.0.0.1:${statusPort}/health/ready`),
  });
  return {
    url: `ws://127.0.0.1:${wsPort}/ws`,
    apiUrl: `http://127.0.0.1:${apiPort}/api/v1`,
    gateway,
    manager,
  };
}

/** Starts a baseline's processes; see baseline.ts. */
export async function startBaseline(mqttUrl?: string): Promise<{ url: string; parts: Watched[] }> {
  const port = await freePort();
  const isReady = (output: string): boolean => output.includes('ready');
  const start = (name: string, ...args: string[]): Promise<Watched> =>
    run(name, [process.execPath, BASELINE, ...args], { env: { NODE_ENV: 'production' }, isReady });
  const parts =
    mqttUrl === undefined
      ? [await start('echo', 'echo', String(port))]
      : [await start('answerer', 'answerer', mqttUrl), await start('relay', 'relay', String(port), mqttUrl)];
  return { url: `ws://127.0.0.1:${port}/ws`, parts };
}

async function isServing(url: string): Promise<boolean> {
  const response = await fetch(url).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok ?? false;
}
