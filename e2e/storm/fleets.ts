import { Fleet } from '@evander/station';
import type { FleetOptions, Station } from '@evander/station';
import type { System } from '../system.ts';

const CONNECTORS = 2;
const RAMP_PER_SECOND = 100;

type Kind = Pick<FleetOptions, 'faults' | 'quirks' | 'answers' | 'session'> & {
  /** Fraction of lost answers to StartTransaction, 0 to 1. */
  lostStartAnswers?: number;
};

/** Kinds of stations, in equal numbers. */
const KINDS: Record<string, Kind> = {
  PLAIN: { answers: { Reset: { afterMs: 500 } } },
  // Loses answers and repeats messages in every way that a station may.
  LOSSY: {
    faults: {
      dropSocketBeforeAnswer: 0.005,
      dropSocketAtAnswer: 0.005,
      repeatWithNewId: 0.2,
      repeatAnsweredWithSameId: 0.02,
      repeatAnsweredWithNewId: 0.02,
      goOffline: 0.05,
    },
    session: { withTransactionData: true },
  },
  // Never learns many of its transactionIds.
  FORGETFUL: { quirks: { startSentOnce: true }, lostStartAnswers: 0.3 },
  // Does not answer every command, or disconnects first.
  MUTE: {
    quirks: { reset: 'closeWithoutAnswer' },
    faults: { leaveCommandUnanswered: 0.03, dropSocketAtCommand: 0.05 },
  },
  // Answers non-repeatable commands slowly, so that faults happen in between.
  SLOW: {
    answers: {
      Reset: { afterMs: 1500 },
      UnlockConnector: { afterMs: 2000 },
      RemoteStartTransaction: { afterMs: 2500 },
    },
    quirks: { reset: 'close1005' },
  },
  QUIRKY: {
    quirks: {
      doubleStop: true,
      reset: 'bootBeforeAnswer',
      startBeforePreparing: true,
      missingStatuses: ['Preparing', 'Finishing'],
      noConnectorZero: true,
      emptyStrings: true,
      compression: true,
      sortKeys: true,
    },
    session: { withTransactionData: true },
  },
};

/** The tag of a connector; each has its own. */
export function tagOf(stationId: string, connectorId: number): string {
  return `${stationId}-${connectorId}`;
}

/** Creates fleets of every kind with this many stations in total, which charge until they are stopped. */
export function createFleets(
  system: System,
  { stations, seed }: { stations: number; seed: number },
): Fleet[] {
  const kinds = Object.entries(KINDS);
  return kinds.map(([prefix, { session, lostStartAnswers = 0, ...kind }], index) => {
    const count = Math.floor((stations + index) / kinds.length);
    const fleet = new Fleet({
      ...kind,
      stations: count,
      url: system.url,
      prefix,
      connectors: CONNECTORS,
      idTags: tagsOf(prefix, count),
      rampPerSecond: RAMP_PER_SECOND / kinds.length,
      speed: 15,
      pauseMs: 6000,
      session: { meterValues: 4, intervalMs: 60_000, ...session },
      remoteSession: { meterValues: 2, intervalMs: 60_000 },
      retryIntervalMs: 500,
      answerTimeoutMs: 10_000,
      reconnect: { minMs: 100, maxMs: 2000 },
      drainMs: 60_000,
      seed: seed + index,
    });
    for (const station of fleet.stations) loseStartAnswers(station, lostStartAnswers);
    return fleet;
  });
}

// Half of them are lost after the manager has stored the start, the others possibly before.
function loseStartAnswers(station: Station, part: number): void {
  if (part === 0) return;
  const { faults, random } = station;
  const arm = (): void => {
    if (random.next() < part)
      faults.next(random.pick(['dropSocketAtAnswer', 'dropSocketBeforeAnswer']), 'StartTransaction');
  };
  station.on('sent', (data) => void (data.includes('"StartTransaction"') && arm()));
}

/** Creates the tags of all connectors. */
export async function createTags(system: System, fleets: readonly Fleet[]): Promise<void> {
  const tags = fleets
    .flatMap(({ stations }) => stations)
    .flatMap(({ stationId, connectors }) => connectors.map(({ id }) => tagOf(stationId, id)));
  const createNext = async (): Promise<void> => {
    for (let tag = tags.pop(); tag !== undefined; tag = tags.pop())
      await system.api('PUT', `/tags/${tag}`, {});
  };
  await Promise.all(Array.from({ length: 8 }, createNext));
}

// In the order in which a fleet assigns them: by station, then by connector.
function tagsOf(prefix: string, stations: number): [string, ...string[]] {
  const tags = Array.from({ length: stations * CONNECTORS }, (_, index) => {
    const stationId = `${prefix}${String(Math.floor(index / CONNECTORS) + 1).padStart(4, '0')}`;
    return tagOf(stationId, (index % CONNECTORS) + 1);
  });
  const [first = '', ...others] = tags;
  return [first, ...others];
}
