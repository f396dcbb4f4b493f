import type { Station } from '@evander/station';

/** A station's answer: the payload of its CALLRESULT, or the code of its CALLERROR. */
export interface SentAnswer {
  atMs: number;
  response?: object;
  errorCode?: string;
  connection: Connection;
}

/** A station's socket and the time of its loss; Infinity while it is open. */
export interface Connection {
  closedMs: number;
}

/** A command as received by its station. */
export interface ReceivedCommand {
  stationId: string;
  action: string;
  times: number;
  /** The connections on which it arrived. */
  connections: Connection[];
  answers: SentAnswer[];
}

/** Commands that stations receive and their answers, read from the sockets, by commandId. */
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
