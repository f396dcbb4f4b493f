import type { CertificateHashData, CommandAction, Requests } from '@evander/ocpp';
import type { ScriptedAnswer } from '../faults/answers.ts';
import type { FaultProbabilities } from '../faults/faults.ts';
import type { Dialect } from './dialect.ts';
import type { JobOutcomes } from './job-outcome.ts';
import type { Quirks } from './quirks.ts';
import type { SecurityOptions, StationTls } from './security-options.ts';
import type { ChargeSessionOptions } from './session-options.ts';

/** The properties and behaviour of a simulated station; only its id and url are required. */
export type StationOptions = {
  stationId: string;
  /** The gateway's endpoint without the station's id, e.g. ws://127.0.0.1:9310/ws */
  url: string;
  /** Password for Basic authentication; a Buffer may contain any bytes. */
  password?: string | Buffer;
  /** Replaces `url` for security profile 1 (ws) and for 2 and 3 (wss). */
  endpoints?: { ws?: string; wss?: string };
  /** For wss: roots, its own certificate and so on. */
  tls?: StationTls;
  /** How it handles certificates and security profiles. */
  security?: SecurityOptions;
  /** Used in its certificates and its BootNotification; default: the station's id. */
  serialNumber?: string;
  connectors?: number;
  /** The fields of its BootNotification. */
  identity?: Partial<Requests['BootNotification']>;
  /** Configuration keys that differ from the defaults. */
  configuration?: Record<string, string>;
  /** Configuration keys whose change is answered with RebootRequired and takes effect after the next reboot. */
  rebootRequiredFor?: readonly string[];
  /** Scripted answers to commands from the start; `station.answers` changes them later. */
  answers?: { readonly [A in CommandAction]?: ScriptedAnswer };
  /** Its Plug & Charge dialect, if it supports it; it then has ISO15118PnCEnabled and similar keys. */
  pnc?: Dialect;
  /** Quirks of real stations. */
  quirks?: Quirks;
  /** The course of its firmware updates and uploads; `station.jobs.setOutcome()` changes it later. */
  jobs?: JobOutcomes;
  /** Time between two statuses of a job; default 1000 / speed. */
  jobStepMs?: number;
  /** Real: downloads files by HTTP GET and uploads them by HTTP PUT. By default it only pretends to. */
  transfers?: 'pretend' | 'real';
  /** The version that a firmware update installs; by default the last number increases by one. */
  nextFirmwareVersion?: string;
  /** How it restarts with new firmware: over a new socket (by default), over the same, or not at all. */
  firmwareReboot?: 'newSocket' | 'sameSocket' | 'none';
  /** Type of its own key; default EC P-256. */
  keyType?: 'ec' | 'rsa';
  /** Hash algorithm that identifies its certificates; default SHA256. */
  hashAlgorithm?: CertificateHashData['hashAlgorithm'];
  /** The same seed produces the same loads, meter values and faults. */
  seed?: number;
  /** Returns Unix time in ms; replaces Date.now. */
  now?: () => number;
  answerTimeoutMs?: number;
  reconnect?: { minMs?: number; maxMs?: number };
  /** Delay before the next boot if the manager leaves it to the station. */
  bootRetryMs?: number;
  /** Replaces TransactionMessageRetryInterval, which is in whole seconds. */
  retryIntervalMs?: number;
  /** Speed factor of its sessions relative to real time; Infinity never waits. */
  speed?: number;
  faults?: FaultProbabilities;
  /** Options of sessions that the manager starts. */
  remoteSession?: Omit<ChargeSessionOptions, 'idTag' | 'connectorId'>;
  /** The ledger forgets older sessions. */
  maxLedgerSessions?: number;
  log?: (message: string) => void;
};

/** The serial number of the hardware, in BootNotification and as CN in its certificates. */
export function serialNumberOf({ serialNumber, identity, stationId }: StationOptions): string {
  return serialNumber ?? identity?.chargePointSerialNumber ?? stationId;
}
