/** A measured value as sent. */
export type LedgerSample = {
  connectorId: number;
  timestamp: string;
  measurand: string;
  phase?: string;
  context: string;
  unit: string;
  location: string;
  value: string;
  acknowledged: boolean;
};

/** The end of a session as sent. */
export type LedgerStop = { timestamp: string; meterStop: number; reason: string; acknowledged: boolean };

/** A session: the station's measurements and messages, and the manager's answers. */
export type LedgerSession = {
  connectorId: number;
  idTag: string;
  startedAt: string;
  meterStart: number;
  /** The id in each answer to the StartTransaction, including repeats: all must be the same. */
  transactionIds: number[];
  idTagStatus?: string;
  samples: LedgerSample[];
  stop?: LedgerStop;
  /** Messages discarded after TransactionMessageAttempts. */
  discarded: string[];
};

/** All billing data that a station produced, independent of the manager's answers. */
export class Ledger {
  readonly sessions: LedgerSession[] = [];
  /** Values measured outside a transaction. */
  readonly samples: LedgerSample[] = [];
  readonly counters = {
    framesSent: 0,
    framesReceived: 0,
    callsAnswered: 0,
    callErrors: 0,
    unmatchedAnswers: 0,
  };
  readonly #maxSessions: number;

  constructor(maxSessions = Infinity) {
    this.#maxSessions = maxSessions;
  }

  /** Opens a session; the oldest is forgotten if there are too many. */
  open(session: Omit<LedgerSession, 'transactionIds' | 'samples' | 'discarded'>): LedgerSession {
    const opened: LedgerSession = { ...session, transactionIds: [], samples: [], discarded: [] };
    this.sessions.push(opened);
    if (this.sessions.length > this.#maxSessions) this.sessions.shift();
    return opened;
  }

  /** Energy of all sessions that ended, in Wh. */
  get energyWh(): number {
    return this.sessions.reduce(
      (sum, { meterStart, stop }) => sum + (stop ? stop.meterStop - meterStart : 0),
      0,
    );
  }
}
