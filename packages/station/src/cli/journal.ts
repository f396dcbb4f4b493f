import type { Fleet } from '../fleet/fleet.ts';
import type { Station } from '../station/station.ts';
import { explainConnectionFault } from './connection-faults.ts';

export type JournalOptions = {
  write: (line: string) => void;
  /** One JSON object per line instead of text. */
  json: boolean;
  /** Reports everything; otherwise each kind of trouble once. */
  details: boolean;
};

/** An event of a station or one of its connectors; the other fields are the values in the text. */
type Entry = { event: string; text: string; connector?: number; isTrouble?: boolean } & Record<
  string,
  unknown
>;

const CLOSE_CODES: Record<number, string> = {
  1000: 'closed',
  1001: 'the CSMS goes away',
  1002: 'protocol error',
  1006: 'the connection was lost',
  1008: 'the CSMS closed it: policy',
  1009: 'a message was too big',
  1011: 'the CSMS failed',
  1012: 'the CSMS restarts',
  1013: 'the CSMS is busy',
};
const STATUS_WORDS: Record<string, string> = {
  Available: 'free',
  Preparing: 'plugged in',
  Charging: 'charging',
  SuspendedEV: 'the car takes no more',
  SuspendedEVSE: 'charging is paused',
  Finishing: 'finished, still plugged in',
  Reserved: 'reserved',
  Unavailable: 'out of order',
};

/** Writes a line for each event of a fleet's stations, as text or JSON. */
export class Journal {
  readonly #options: JournalOptions;
  /** Reported troubles: the same trouble is not reported again until it is over; without details, once for all stations. */
  readonly #troubles = new Map<string, string>();

  constructor(fleet: Fleet, options: JournalOptions) {
    this.#options = options;
    for (const station of fleet.stations) {
      this.#watchConnection(station);
      this.#watchCharging(station);
    }
  }

  /** Writes a summary of the whole fleet, at the end or in between. */
  summary(event: string, text: string, numbers: object): void {
    const { json, write } = this.#options;
    write(json ? JSON.stringify({ at: new Date().toISOString(), event, ...numbers }) : text);
  }

  #watchConnection(station: Station): void {
    let attempts = 0;
    station.on('connected', () => {
      const { url } = station.security.handshake();
      const after = attempts > 0 ? ` after ${attempts} failed attempt${attempts > 1 ? 's' : ''}` : '';
      if (this.#options.details) this.#troubles.delete(station.stationId);
      this.#report(station, {
        event: 'connected',
        text: `connected to ${url}${after}`,
        url,
        failedAttempts: attempts,
      });
      attempts = 0;
    });
    station.on('refused', (error) => {
      attempts++;
      const reason = explainConnectionFault(error);
      const text = `not connected: ${reason}. Trying again, less and less often`;
      this.#report(station, { event: 'notConnected', text, isTrouble: true, reason });
    });
    station.on('disconnected', (code) =>
      this.#report(station, {
        event: 'disconnected',
        text: `disconnected: ${CLOSE_CODES[code] ?? 'code'} (${code})`,
        code,
      }),
    );
    station.on('booted', (status) => {
      const interval = station.configuration.integer('HeartbeatInterval');
      if (status === 'Accepted')
        this.#report(station, {
          event: 'booted',
          text: `accepted, heartbeat every ${interval} s`,
          status,
          interval,
        });
      else {
        const text = `boot answered ${status}: the CSMS does not let it charge yet; asking again`;
        this.#report(station, { event: 'booted', text, isTrouble: true, status });
      }
    });
    station.on('command', (action, outcome) =>
      this.#report(station, {
        event: 'command',
        text: `the CSMS sent ${action}: ${outcome}`,
        action,
        outcome,
      }),
    );
    station.on('answered', ({ action, error }) => {
      if (error === undefined) return;
      const text = `the CSMS answered ${action} with an error: ${error}`;
      this.#report(station, { event: 'callError', text, isTrouble: true, action, error });
    });
    station.on('violation', ({ kind, action = '', fault }) => {
      const text = `the CSMS broke OCPP, ${kind} ${action}: ${fault}`;
      this.#report(station, { event: 'violation', text, isTrouble: true, kind, action, fault });
    });
  }

  #watchCharging(station: Station): void {
    station.on('connectorStatus', ({ connectorId: connector, status, errorCode }) => {
      // Later lines report "Charging" and "Finishing" with more detail.
      if (status === 'Charging' || status === 'Finishing') return;
      const text = status === 'Faulted' ? `fault: ${errorCode}` : (STATUS_WORDS[status] ?? status);
      this.#report(station, { event: 'status', text, connector, status });
    });
    station.on('tagRefused', ({ connectorId: connector, idTag, status }) => {
      const text = `the tag ${idTag} is refused (${status}): add it to the CSMS, or name another with --id-tag`;
      this.#report(station, { event: 'tagRefused', text, connector, isTrouble: true, idTag, status });
    });
    station.on('sessionStarted', ({ connectorId: connector, idTag, transactionId }) => {
      const text = `charging begins, tag ${idTag}, transaction ${transactionId ?? 'not known yet'}`;
      this.#report(station, { event: 'started', text, connector, idTag, transactionId });
    });
    station.on('sampled', ({ connectorId: connector, powerW, energyWh }) =>
      this.#report(station, {
        event: 'charging',
        text: `charging ${kilo(powerW, 1)} kW, ${kilo(energyWh, 2)} kWh so far`,
        ...{ connector, powerW: Math.round(powerW), energyWh },
      }),
    );
    station.on('sessionStopped', ({ connectorId: connector, energyWh, reason }) =>
      this.#report(station, {
        event: 'stopped',
        text: `stopped: ${kilo(energyWh, 2)} kWh (${reason})`,
        ...{ connector, energyWh, reason },
      }),
    );
  }

  #report({ stationId }: Station, { text, connector, isTrouble = false, ...entry }: Entry): void {
    const { json, details, write } = this.#options;
    if (!details && !isTrouble) return;
    if (isTrouble && this.#isKnown(stationId, text)) return;
    const at = new Date();
    if (json) {
      write(
        JSON.stringify({
          at: at.toISOString(),
          station: stationId,
          ...(connector && { connector }),
          ...entry,
        }),
      );
      return;
    }
    const who = connector ? `${stationId}/${connector}` : stationId;
    const others = details ? '' : ' (told once for all stations)';
    write(`${at.toTimeString().slice(0, 8)}  ${who.padEnd(10)}  ${text}${others}`);
  }

  #isKnown(stationId: string, text: string): boolean {
    const key = this.#options.details ? stationId : text;
    if (this.#troubles.get(key) === text) return true;
    this.#troubles.set(key, text);
    return false;
  }
}

function kilo(value: number, digits: number): string {
  return (value / 1000).toFixed(digits);
}
