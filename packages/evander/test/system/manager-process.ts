import { ADMIN_KEY, SECRET } from './fixture.ts';
import type { Services } from './fixture.ts';
import { freePorts, isServing, run } from './processes.ts';
import type { Process } from './processes.ts';

export interface ManagerProcess {
  process: Process;
  apiUrl: string;
}

/** Runs a manager in a separate process that can be killed, by default on a free port; resolves once it serves. */
export async function startManagerProcess(services: Services, apiPort?: number): Promise<ManagerProcess> {
  const [port = 0] = apiPort === undefined ? await freePorts(1) : [apiPort];
  const process = run(['manager'], {
    EVANDER_API_PORT: port,
    EVANDER_DATABASE_URL: services.databaseUrl,
    EVANDER_MQTT_URL: services.mqttUrlOf('manager'),
    EVANDER_MQTT_PREFIX: services.mqttPrefix,
    EVANDER_SECRET: SECRET,
    EVANDER_ADMIN_KEY: ADMIN_KEY,
    EVANDER_UNKNOWN_STATIONS: 'accept',
    EVANDER_DATABASE_POOL_SIZE: 5,
  });
  const apiUrl = `http://127.0.0.1:${port}`;
  await isServing(`${apiUrl}/health/ready`, process);
  return { process, apiUrl };
}
