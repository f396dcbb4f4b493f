import type { Authorization } from '../authorization/authorization.ts';
import type { LocalList } from '../authorization/local-list.ts';
import type { ChargingProfiles } from '../charging/charging-profiles.ts';
import type { Connector } from '../charging/connector.ts';
import type { Ledger } from '../charging/ledger.ts';
import type { Reservations } from '../charging/reservations.ts';
import type { TransactionQueue } from '../charging/transaction-queue.ts';
import type {
  AnswerHooks,
  Caller,
  Connectivity,
  Connectors,
  StationContext,
} from '../context/station-context.ts';
import type { Violation } from '../context/station-events.ts';
import type { FileJobs } from '../files/file-jobs.ts';
import type { Registration } from '../lifecycle/registration.ts';
import type { ChargeSessionOptions } from '../options/session-options.ts';
import type { PlugAndCharge } from '../pnc/plug-and-charge.ts';
import type { Certificates } from '../security/certificates.ts';
import type { Security } from '../security/security.ts';

/** The station as commands use it: its parts and its operations as a whole. */
export interface CommandedStation
  extends StationContext, Caller, Connectivity, AnswerHooks, Connectors<Connector> {
  firmwareVersion: string;
  readonly authorization: Authorization;
  readonly certificates: Certificates;
  readonly chargingProfiles: ChargingProfiles;
  readonly jobs: FileJobs;
  readonly ledger: Ledger;
  readonly localList: LocalList;
  readonly pnc: PlugAndCharge;
  readonly queue: TransactionQueue;
  readonly registration: Registration;
  readonly reservations: Reservations;
  readonly security: Security;
  readonly violations: Violation[];
  /** Resolves once the manager has accepted the station and knows all connectors. */
  boot(): Promise<unknown>;
  chargeSession(options: ChargeSessionOptions): Promise<unknown>;
  /** Sets the interval of WebSocket pings; 0 for none. */
  setPingInterval(seconds: number): void;
}
