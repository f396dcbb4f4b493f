import type { Authorization } from '../authorization.ts';
import type { Certificates } from '../certificates.ts';
import type { ChargingProfiles } from '../charging-profiles.ts';
import type { Connector } from '../connector.ts';
import type { FileJobs } from '../file-jobs.ts';
import type { Ledger } from '../ledger.ts';
import type { LocalList } from '../local-list.ts';
import type { PlugAndCharge } from '../pnc/plug-and-charge.ts';
import type { Registration } from '../registration.ts';
import type { Reservations } from '../reservations.ts';
import type { Security } from '../security.ts';
import type { ChargeSessionOptions } from '../session-options.ts';
import type { AnswerHooks, Caller, Connectivity, Connectors, StationContext } from '../station-context.ts';
import type { Violation } from '../station-events.ts';
import type { TransactionQueue } from '../transaction-queue.ts';

/** The station as its commands see it: its parts, and what can be done with it as a whole. */
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
  /** WebSocket pings from now on; none for 0. */
  setPingInterval(seconds: number): void;
}
