import { settledOrOffline, unlessClosed } from '../connection/until.ts';
import type { Caller, Connectivity, Connectors, StationContext } from '../context/station-context.ts';
import { malformedFrames } from '../faults/malformed-frames.ts';
import type { ChargeSessionOptions } from '../options/session-options.ts';
import { wait } from '../runtime/wait.ts';
import type { Connector } from './connector.ts';
import type { LedgerSession } from './ledger.ts';
import type { Session } from './session.ts';

/** Parts of the station that a session uses. */
export type ChargeSessionContext = StationContext &
  Caller &
  Connectivity &
  Connectors<Connector> & { authorize(idTag: string): Promise<string> };

/** The result of a session. */
export type ChargeRecord = {
  connectorId: number;
  idTag: string;
  idTagStatus: string | undefined;
  /** Absent if nothing was started or its StartTransaction was discarded. */
  transactionId: number | undefined;
  meterStart: number;
  meterStop: number;
  energyWh: number;
  session: LedgerSession | undefined;
};

/** Plug in, authorize, start, charge, stop, unplug. Resolves once the manager has answered all of it. */
export async function chargeSession(
  station: ChargeSessionContext,
  options: ChargeSessionOptions,
): Promise<ChargeRecord> {
  const connector = station.connector(options.connectorId ?? 1);
  if (!connector.isFreeFor(options.idTag))
    throw new Error(`connector ${connector.id} is ${connector.status}; it cannot charge`);
  const isOffline = station.faults.strikes('goOffline');
  if (isOffline) await station.goOffline();
  if (!station.quirks.startBeforePreparing) await connector.plugIn();
  const idTagStatus = options.authorize === false ? 'Accepted' : await station.authorize(options.idTag);
  if (idTagStatus !== 'Accepted') {
    station.emit('tagRefused', { connectorId: connector.id, idTag: options.idTag, status: idTagStatus });
    await connector.unplug();
    if (isOffline) void station.goOnline();
    return refusedRecord(connector, options.idTag, idTagStatus);
  }
  // A remote start may have come first while the manager was checking the tag.
  while (connector.session) await unlessClosed(station, connector.session.delivered);
  const session = await runTransaction(station, connector, options);
  if (isOffline) void station.goOnline();
  await settledOrOffline(station, session.delivered);
  await connector.unplug();
  await unlessClosed(station, session.delivered);
  return startedRecord(session);
}

async function runTransaction(
  station: ChargeSessionContext,
  connector: Connector,
  options: ChargeSessionOptions,
): Promise<Session> {
  const { meterValues = 10, energyWh, reason, withTransactionData = false, idTag } = options;
  const intervalMs = options.intervalMs ?? station.configuration.integer('MeterValueSampleInterval') * 1000;
  const durationSeconds = (meterValues * intervalMs) / 1000;
  const session = connector.start(idTag, { durationSeconds, ...(energyWh !== undefined && { energyWh }) });
  await settledOrOffline(station, session.answered);
  if (station.quirks.startBeforePreparing) await connector.plugIn();
  if (connector.session === session) void connector.setStatus('Charging');
  for (let sent = 0; sent < meterValues; sent++) {
    await wait(intervalMs / station.speed, session.ended);
    if (session.ended.aborted) return session;
    session.charge(session.curve.durationSeconds / meterValues);
    if (station.faults.strikes('sendMalformedFrame')) await sendMalformed(station);
    session.sample();
  }
  if (connector.session !== session) return session;
  await connector.setStatus('SuspendedEV');
  if (connector.session === session) {
    connector.stop(reason, { withTransactionData, ...(!reason && { idTag }) });
  }
  return session;
}

async function sendMalformed(station: ChargeSessionContext): Promise<void> {
  const frame = malformedFrames[Math.floor(station.random.between(0, malformedFrames.length))];
  // Offline there is no receiver.
  if (frame && station.isConnected) await station.sendRaw(frame.data).catch(() => undefined);
}

function refusedRecord(connector: Connector, idTag: string, idTagStatus: string): ChargeRecord {
  const { id: connectorId, meterWh } = connector;
  return {
    connectorId,
    idTag,
    idTagStatus,
    transactionId: undefined,
    meterStart: meterWh,
    meterStop: meterWh,
    energyWh: 0,
    session: undefined,
  };
}

function startedRecord({ record, transactionId }: Session): ChargeRecord {
  const { connectorId, idTag, idTagStatus, meterStart } = record;
  const meterStop = record.stop?.meterStop ?? meterStart;
  const energyWh = meterStop - meterStart;
  return { connectorId, idTag, idTagStatus, transactionId, meterStart, meterStop, energyWh, session: record };
}
