import type { Connector } from '../charging/connector.ts';
import type { TransactionQueue } from '../charging/transaction-queue.ts';
import { settledOrOffline } from '../connection/until.ts';
import type { Caller, Connectivity, Connectors } from '../context/station-context.ts';
import type { StopReason } from '../options/session-options.ts';
import type { Security } from '../security/security.ts';
import { takeEffect, type ConfigurationEffectsContext } from './configuration-effects.ts';
import type { Registration } from './registration.ts';

/** Parts of the station that a restart affects. */
export type RestartContext = ConfigurationEffectsContext &
  Caller &
  Connectivity &
  Connectors<Pick<Connector, 'stop' | 'comeUp'>> & {
    readonly queue: Pick<TransactionQueue, 'drained'>;
    readonly registration: Pick<Registration, 'forget'>;
    readonly security: Pick<Security, 'comeUp'>;
    boot(): Promise<unknown>;
  };

/** Options of a restart. */
export type RestartOptions = {
  /** The reason with which its transactions end. */
  reason: StopReason;
  /** Whether to deliver the end of its transactions before the restart; otherwise afterwards. */
  isGraceful?: boolean;
  onSameSocket?: boolean;
};

/** Restarts the station: sessions end, pending changes take effect, and it boots again. */
export async function restart(station: RestartContext, options: RestartOptions): Promise<void> {
  const { reason, isGraceful = false, onSameSocket = false } = options;
  if (!isGraceful && !onSameSocket) await station.disconnect();
  for (const connector of station.connectors) connector.stop(reason);
  if (isGraceful) await settledOrOffline(station, station.queue.drained());
  if (!onSameSocket) await station.disconnect();
  comeUp(station);
  await station.goOnline();
  await station.boot();
}

/** The station's state after a restart, before it boots. */
export function comeUp(station: RestartContext): void {
  station.registration.forget();
  for (const key of station.configuration.reboot()) takeEffect(station, key);
  station.security.comeUp();
  for (const connector of [station.connector(0), ...station.connectors]) connector.comeUp();
}
