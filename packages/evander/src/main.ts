import { gatewayProcess } from '@evander/gateway';
import { managerProcess } from '@evander/manager';
import { main } from '@evander/process';
import { join } from 'node:path';
import { START_SETTINGS } from './settings.ts';
import { start } from './start.ts';
import type { Evander } from './start.ts';

const USAGE = `Usage: evander <command>

  start [--demo]   everything in one process, on a broker and a PostgreSQL of its own unless EVANDER_MQTT_URL
                   and EVANDER_DATABASE_URL configure others; --demo adds simulated stations that charge
  gateway          a gateway alone
  manager          a manager alone

evander <command> --help lists the environment variables that it reads.`;

const COMMANDS: Record<string, (flags: string[]) => Promise<void>> = {
  start: (flags) => {
    only(flags, ['--demo']);
    return main({
      name: 'evander start',
      settings: START_SETTINGS,
      start: async (settings, log) => {
        const evander = await start(settings, log, { demo: flags.includes('--demo') });
        console.log(greeting(evander, settings.adminKey !== undefined));
        return evander;
      },
    });
  },
  gateway: (flags) => {
    only(flags, []);
    return main(gatewayProcess);
  },
  manager: (flags) => {
    only(flags, []);
    return main(managerProcess);
  },
};

const [command = '', ...flags] = process.argv.slice(2);
if (command === '--help') console.log(USAGE);
else if (Object.hasOwn(COMMANDS, command)) await COMMANDS[command]?.(flags);
else misused(command === '' ? 'a command is missing' : `there is no command "${command}"`);

function only(flags: string[], known: string[]): void {
  const odd = flags.find((flag) => flag !== '--help' && !known.includes(flag));
  if (odd !== undefined) misused(`there is no option "${odd}"`);
}

function misused(fault: string): never {
  console.error(`evander: ${fault}\n\n${USAGE}`);
  process.exit(2);
}

function greeting({ stationUrl, secureStationUrl, apiUrl, dataDir }: Evander, keyIsGiven: boolean): string {
  return `
Evander is running.
  Stations connect to  ${stationUrl}/<station id>   (OCPP 1.6J, subprotocol ocpp1.6)
  or over TLS to       ${secureStationUrl}/<station id>   (trust ${apiUrl}/pki/root.pem)
  HTTP API             ${apiUrl}/api/v1   (try it: ${apiUrl}/docs)
  Admin key            ${keyIsGiven ? 'as set in EVANDER_ADMIN_KEY' : join(dataDir, 'admin-key')}
  Data                 ${dataDir}
`;
}
