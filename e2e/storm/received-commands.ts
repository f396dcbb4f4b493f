import type { Station } from '@evander/station';

/** What a station answered: the payload of its CALLRESULT, or the code of its CALLERROR. */
export interface SentAnswer {
  atMs: number;
  response?: object;
  errorCode?: string;
  connection: Connection;
}

/** When a station's socket was lost; Infinity while it is open. */
export interface Connection {
  closedMs: number;
}

/** A command as its station saw it. */
export interface ReceivedCommand {
  stationId: string;
  action: string;
  times: number;
  /** Those that it came over. */
  connections: Connection[];
  answers: SentAnswer[];
}

/** What stations receive of commands and what they answer, read from their sockets, by commandId. */
export class ReceivedCommands {
  readonly byId = new Map<string, ReceivedCommand>();

  watch(station: Station): void {
    let connection: Connection = { closedMs: 0 };
    station.on('connected', () => (connection = { closedMs: Infinity }));
    station.on('disconnected', () => (connection.closedMs = Date.now()));
    station.on('received', (data) => this.#receive(station.stationId, data, connection));
    station.on('sent', (data) => this.#answer(data, connection));
  }

  #receive(stationId: string, data: string | Buffer, connection: Connection): void {
    const [type, id, action] = JSON.parse(data.toString()) as [number, string, string];
    if (type !== 2) return;
    const known = this.byId.get(id);
    const command = known ?? { stationId, action, times: 0, connections: [], answers: [] };
    command.times++;
    command.connections.push(connection);
    this.byId.set(id, command);
  }

  #answer(data: string | Buffer, connection: Connection): void {
    const text = data.toString();
    if (!/^\[[34],/.test(text)) return;
    const [type, id, first] = JSON.parse(text) as [number, string, object | string];
    const answer: SentAnswer = { atMs: Date.now(), connection };
    if (type === 3) answer.response = first as object;
    else answer.errorCode = first as string;
    this.byId.get(id)?.answers.push(answer);
  }
}
