import type { CertificateHashData, CommandAction, Requests } from '@evander/ocpp';
import type { ScriptedAnswer } from '../faults/answers.ts';
import type { FaultProbabilities } from '../faults/faults.ts';
import type { Dialect } from './dialect.ts';
import type { JobOutcomes } from './job-outcome.ts';
import type { Quirks } from './quirks.ts';
import type { SecurityOptions, StationTls } from './security-options.ts';
import type { ChargeSessionOptions } from './session-options.ts';

/** What a simulated station is and how it behaves; only its id and url are needed. */
export type StationOptions = {
  stationId: string;
  /** The gateway's endpoint without the station's id, e.g. ws://127.0.0.1:9310/ws */
  url: string;
  /** Basic authentication; a Buffer may hold any byte. */
  password?: string | Buffer;
  /** In place of `url` for security profile 1 (ws) and for 2 and 3 (wss). */
  endpoints?: { ws?: string; wss?: string };
  /** For wss: roots, its own certificate and so on. */
  tls?: StationTls;
  /** How it deals with certificates and security profiles. */
  security?: SecurityOptions;
  /** In its certificates, and in its BootNotification; the station's id unless given. */
  serialNumber?: string;
  connectors?: number;
  /** The fields of its BootNotification. */
  identity?: Partial<Requests['BootNotification']>;
  /** Configuration keys that differ from the defaults. */
  configuration?: Record<string, string>;
  /** Configuration keys whose change is answered RebootRequired, and in force after the next reboot. */
  rebootRequiredFor?: readonly string[];
  /** Bad answers to commands from the start; later `station.answers` changes them. */
  answers?: { readonly [A in CommandAction]?: ScriptedAnswer };
  /** How it speaks of Plug & Charge, if it can do that; ISO15118PnCEnabled and the like are keys of its then. */
  pnc?: Dialect;
  /** What it does as some real stations do. */
  quirks?: Quirks;
  /** How its firmware updates and uploads go; later `station.jobs.setOutcome()` changes that. */
  jobs?: JobOutcomes;
  /** The time between two statuses of a job; 1000 / speed unless given. */
  jobStepMs?: number;
  /** Real: files are fetched by HTTP GET and sent by HTTP PUT. By default it only says so. */
  transfers?: 'pretend' | 'real';
  /** What a firmware update installs; by default the last number of the version goes up by one. */
  nextFirmwareVersion?: string;
  /** How it restarts with new firmware: over a new socket (by default), over the same, or not at all. */
  firmwareReboot?: 'newSocket' | 'sameSocket' | 'none';
  /** Of its own key; EC P-256 by default. */
  keyType?: 'ec' | 'rsa';
  /** Of the hashes that name its certificates; SHA256 by default. */
  hashAlgorithm?: CertificateHashData['hashAlgorithm'];
  /** The same seed gives the same loads, meters and faults. */
  seed?: number;
  /** Milliseconds since 1970, in place of Date.now. */
  now?: () => number;
  answerTimeoutMs?: number;
  reconnect?: { minMs?: number; maxMs?: number };
  /** The wait before the next boot when the manager leaves it to the station. */
  bootRetryMs?: number;
  /** In place of TransactionMessageRetryInterval, which knows whole seconds only. */
  retryIntervalMs?: number;
  /** How many times faster than the clock its sessions go; Infinity waits for nothing. */
  speed?: number;
  faults?: FaultProbabilities;
  /** How a session goes that the manager starts. */
  remoteSession?: Omit<ChargeSessionOptions, 'idTag' | 'connectorId'>;
  /** The ledger forgets older sessions. */
  maxLedgerSessions?: number;
  log?: (message: string) => void;
};

/** What names the hardware: in BootNotification, and as CN in its certificates. */
export function serialNumberOf({ serialNumber, identity, stationId }: StationOptions): string {
  return serialNumber ?? identity?.chargePointSerialNumber ?? stationId;
}
