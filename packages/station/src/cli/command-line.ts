import { parseArgs } from 'node:util';
import { faultNames, isFaultName, type FaultProbabilities } from '../faults/faults.ts';
import type { FleetOptions } from '../fleet/fleet.ts';
import { UsageError } from '../options/usage-error.ts';
import { readAnswers } from './answers-option.ts';
import type { JournalOptions } from './journal.ts';
import { readSecurityFlags, SECURITY_FLAGS, SECURITY_HELP } from './security-flags.ts';
import { VENDORS } from './vendors.ts';
import type { Vendor } from './vendors.ts';

/** The parsed command line. */
export type CommandLine = {
  fleet: FleetOptions;
  durationSeconds: number | undefined;
  show: Pick<JournalOptions, 'json' | 'details'>;
};

/** Up to this many stations are reported line by line. */
const DETAILED_STATIONS = 5;

/** Exit codes in order of precedence. */
export const EXIT = { usage: 2, neverAccepted: 3, broken: 1, refused: 4, ok: 0 } as const;

export const HELP = `Usage: pnpm station [options]

Simulated OCPP 1.6J charging stations that connect to a CSMS and charge.

Examples
  pnpm station                                   one station, SIM0001, at the Evander on this machine
  pnpm station --sessions 1 --speed 60           one session, a minute each second; then it ends
  pnpm station --url wss://csms.example/ocpp --ca root.pem --security-profile 2 --password secret
  pnpm station --stations 500 --ramp 20 --fault goOffline=0.01
  pnpm station --vendor abb --answer Reset=Rejected --json

Where to
  --url URL                 endpoint without the station's id (ws://127.0.0.1:9310/ws)
  --password TEXT           Basic authentication, the same for all stations
${SECURITY_HELP}
What they are
  --stations N              how many (1)
  --prefix TEXT             ids are TEXT0001, TEXT0002 ... (SIM)
  --connectors N            of each station (1)
  --vendor NAME             does as this make does: see below
  --firmware-version-after-update TEXT
                            what UpdateFirmware installs (the last number of the version goes up)

What they do
  --id-tag TAG              may be repeated; the connectors use them in turn (SIMTAG)
  --sessions N              per connector; without it until interrupted
  --meter-values N          samples per session (10)
  --interval-seconds N      charging time between two samples (60)
  --speed N                 how many times faster than the clock sessions go (1)
  --ramp N                  stations that start per second (50)
  --duration-seconds N      stop after so long
  --seed N                  the same seed repeats a run; it is printed at the start

What goes wrong
  --fault NAME=PROBABILITY  may be repeated; 0 to 1 each time it could happen
  --answer ACTION=HOW       may be repeated; HOW is silence, dropSocket, crash, error:CODE, after:MS, or a status

What is shown
  --json                    an object a line, for machines
  --details                 every event; the default for up to ${DETAILED_STATIONS} stations. Otherwise trouble only, and a line every 5 s
  --help

Exit codes: ${EXIT.ok} all well; ${EXIT.broken} messages stayed unanswered, or the CSMS broke a schema; ${EXIT.usage} a bad option;
${EXIT.neverAccepted} a station was never accepted (not reached, refused, or its boot not accepted); ${EXIT.refused} no session was allowed.

Faults: ${faultNames.join(', ')}
Vendors:
${Object.entries(VENDORS)
  .map(([name, { summary }]) => `  ${name.padEnd(8)}${summary}`)
  .join('\n')}
`;

/** All options for `parseArgs`. */
export const OPTIONS = {
  url: { type: 'string', default: 'ws://127.0.0.1:9310/ws' },
  stations: { type: 'string', default: '1' },
  prefix: { type: 'string', default: 'SIM' },
  connectors: { type: 'string', default: '1' },
  'id-tag': { type: 'string', multiple: true },
  sessions: { type: 'string' },
  'meter-values': { type: 'string', default: '10' },
  'interval-seconds': { type: 'string', default: '60' },
  speed: { type: 'string', default: '1' },
  ramp: { type: 'string', default: '50' },
  seed: { type: 'string' },
  password: { type: 'string' },
  ...SECURITY_FLAGS,
  fault: { type: 'string', multiple: true },
  answer: { type: 'string', multiple: true },
  'duration-seconds': { type: 'string' },
  vendor: { type: 'string' },
  'firmware-version-after-update': { type: 'string' },
  json: { type: 'boolean', default: false },
  details: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Returns undefined if help is requested. Throws UsageError. */
export function readCommandLine(args: string[]): CommandLine | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const seed = optionalNumber('seed', values.seed, { min: 0, isWhole: true });
  const sessions = optionalNumber('sessions', values.sessions, { min: 1, isWhole: true });
  const whole = { min: 1, isWhole: true };
  const [firstTag = 'SIMTAG', ...otherTags] = values['id-tag'] ?? [];
  const stations = number('stations', values.stations, whole);
  const nextFirmwareVersion = values['firmware-version-after-update'];
  const security = readSecurityFlags(values);
  const { identity, quirks, configuration } = readVendor(values.vendor);
  return {
    show: { json: values.json, details: values.details || stations <= DETAILED_STATIONS },
    durationSeconds: optionalNumber('duration-seconds', values['duration-seconds'], { min: 0 }),
    fleet: {
      url: webSocketUrl(values.url),
      ...security,
      ...(identity && { identity }),
      ...(quirks && { quirks }),
      configuration: { ...configuration, ...security.configuration },
      stations,
      prefix: values.prefix,
      connectors: number('connectors', values.connectors, whole),
      idTags: [firstTag, ...otherTags],
      session: {
        meterValues: number('meter-values', values['meter-values'], { min: 0, isWhole: true }),
        intervalMs: number('interval-seconds', values['interval-seconds'], { min: 0 }) * 1000,
      },
      speed: number('speed', values.speed, { min: 0.001 }),
      rampPerSecond: number('ramp', values.ramp, { min: 0.001 }),
      faults: readFaults(values.fault ?? []),
      answers: readAnswers(values.answer ?? []),
      maxLedgerSessions: 10,
      ...(nextFirmwareVersion !== undefined && { nextFirmwareVersion }),
      ...(sessions !== undefined && { sessions }),
      ...(seed !== undefined && { seed }),
      ...(values.password !== undefined && { password: values.password }),
    },
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, strict: true }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

type Limits = { min: number; isWhole?: boolean };

function number(name: string, text: string, { min, isWhole = false }: Limits): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value) || value < min || (isWhole && !Number.isInteger(value))) {
    const kind = isWhole ? 'a whole number' : 'a number';
    throw new UsageError(`--${name} ${text}: give ${kind} of at least ${min}`);
  }
  return value;
}

function optionalNumber(name: string, text: string | undefined, limits: Limits): number | undefined {
  return text === undefined ? undefined : number(name, text, limits);
}

function readVendor(name: string | undefined): Partial<Vendor> {
  if (name === undefined) return {};
  const vendor = Object.hasOwn(VENDORS, name) ? VENDORS[name] : undefined;
  if (!vendor) throw new UsageError(`--vendor ${name}: give one of ${Object.keys(VENDORS).join(', ')}`);
  return vendor;
}

function webSocketUrl(text: string): string {
  if (!URL.canParse(text) || !/^wss?:$/.test(new URL(text).protocol)) {
    throw new UsageError(`--url ${text}: give a ws:// or wss:// URL`);
  }
  return text;
}

function readFaults(texts: readonly string[]): FaultProbabilities {
  const faults: FaultProbabilities = {};
  for (const text of texts) {
    const [name = '', probability = ''] = text.split('=');
    const value = Number(probability);
    if (!isFaultName(name)) {
      throw new UsageError(`--fault ${text}: no such fault; there are ${faultNames.join(', ')}`);
    }
    if (probability === '' || !(value >= 0 && value <= 1)) {
      throw new UsageError(`--fault ${text}: give ${name}=PROBABILITY, 0 to 1`);
    }
    faults[name] = value;
  }
  return faults;
}
