import { encodeEnvelope } from '@evander/broker';
import type { Connection as AnnouncedConnection, Envelope, UnreadableFrame } from '@evander/broker';
import { formatFrame, parseFrame } from '@evander/ocpp';
import type { Frame, MalformedFrame } from '@evander/ocpp';
import { hideSecretText } from '@evander/process';
import type { Log } from '@evander/process';
import type { RawData, WebSocket } from 'ws';
import { Commands } from './commands.ts';
import { FrameBudget } from './frame-budget.ts';
import type { GatewayLimits } from './limits.ts';
import { Liveness } from './liveness.ts';
import { MalformedFrames } from './malformed-frames.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { QueuedBytes } from './queued-bytes.ts';
import { StationCalls } from './station-calls.ts';
import type { StationResult } from './unacknowledged-results.ts';

export interface ConnectionOptions {
  stationId: string;
  /** The profile that its handshake meets. */
  securityProfile: number;
  /** It sends a Heartbeat at least this often. */
  heartbeatSeconds: number;
  connectionId: string;
  remoteAddress: string;
  /** Publishes an envelope to the managers; the caller repeats it until it is answered. */
  publishCall(payload: string): void;
  publishResult(result: StationResult): void;
  onUnreadable(frame: UnreadableFrame): void;
  limits: GatewayLimits;
  queuedBytes: QueuedBytes;
  repeatDelaysMs: readonly number[];
  failFastMs: number;
  answerTimeoutMs: number;
  metrics: GatewayMetrics;
  log: Log;
}

/** This many non-OCPP-J frames close a connection that has never sent a valid one (ocppj.md ERR.5). */
const UNREADABLE_LIMIT = 20;
const RECORDED_CHARACTERS = 4096;
const CLOSE_GRACE_MS = 2000;
/** A station with more unread data than this is disconnected: it reads nothing, and the data would stay in memory. */
const MAX_UNREAD_BYTES = 1_048_576;

/** WebSocket close codes: 4001 is Evander's, the others come from RFC 6455 and its registry. */
export const CLOSE = { protocolError: 1002, policyViolation: 1008, restart: 1012, replaced: 4001 } as const;

/** A station's open socket: passes its frames to the managers, and the managers' envelopes to the station as frames. */
export class Connection {
  readonly stationId: string;
  readonly securityProfile: number;
  readonly connectionId: string;
  readonly remoteAddress: string;
  readonly connectedAt = new Date().toISOString();
  readonly #socket: WebSocket;
  readonly #options: ConnectionOptions;
  readonly #calls: StationCalls;
  readonly #commands: Commands;
  readonly #budget: FrameBudget;
  readonly #malformed = new MalformedFrames();
  /** Reasons why the socket is paused. */
  readonly #pauses = new Set<'queue' | 'budget'>();
  readonly #liveness: Liveness;
  #draining = false;
  /** Number of non-OCPP-J frames; undefined once a valid one has arrived. */
  #unreadableFrames: number | undefined = 0;
  #isKnown = false;

  constructor(socket: WebSocket, options: ConnectionOptions) {
    this.stationId = options.stationId;
    this.securityProfile = options.securityProfile;
    this.connectionId = options.connectionId;
    this.remoteAddress = options.remoteAddress;
    this.#socket = socket;
    this.#options = options;
    this.#liveness = new Liveness(options.heartbeatSeconds);
    const send = (frame: Frame): void => this.#send(frame);
    this.#calls = new StationCalls({
      stationId: options.stationId,
      send,
      publish: (call, receivedAt) =>
        options.publishCall(
          encodeEnvelope({
            type: 2,
            id: String(call.id),
            action: call.action,
            request: call.payload,
            connection_id: options.connectionId,
            received_at: receivedAt,
            ...(!this.#isKnown && { connection: this.announcement }),
          }),
        ),
      setPaused: (paused) => this.#setPaused('queue', paused),
      queuedBytes: options.queuedBytes,
      repeatDelaysMs: options.repeatDelaysMs,
      failFastMs: options.failFastMs,
      log: options.log,
    });
    this.#budget = new FrameBudget({
      limits: options.limits,
      setPaused: (paused) => this.#setPaused('budget', paused),
    });
    this.#commands = new Commands({
      stationId: options.stationId,
      send,
      publish: (answer, isAcknowledged) => {
        const { stationId, connectionId } = options;
        const payload = encodeEnvelope({ ...answer, connection_id: connectionId });
        options.publishResult({ stationId, connectionId, id: answer.id, payload, isAcknowledged });
      },
      answerTimeoutMs: options.answerTimeoutMs,
    });
    socket.on('pong', (data) => {
      this.#liveness.hearPong();
      this.#onControlFrame(data);
    });
    socket.on('ping', (data) => this.#onControlFrame(data));
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on('error', (error) => options.log.warn({ err: error }, 'socket error'));
    socket.on('close', () => {
      this.#calls.close();
      this.#commands.close();
      this.#budget.close();
      const { leftOut } = this.#malformed;
      if (leftOut > 0) options.log.warn({ leftOut }, 'unreadable frames were not recorded');
    });
  }

  /** The connection as reported to managers. */
  get announcement(): AnnouncedConnection {
    const { stationId, connectionId, remoteAddress, connectedAt, securityProfile } = this;
    return { stationId, connectionId, remoteAddress, connectedAt, securityProfile };
  }

  get unansweredCalls(): number {
    return this.#calls.size;
  }

  /** Handles an envelope from the managers. */
  onEnvelope(envelope: Envelope): void {
    if (envelope.type !== 2) {
      if (this.#calls.answer(envelope)) this.#isKnown = true;
      else this.#options.log.debug({ id: envelope.id }, 'answer dropped: no open call');
    } else if (envelope.connection_id !== undefined && envelope.connection_id !== this.connectionId) {
      // The station may have received it on that connection already. The presence messages tell the manager that the connection is lost.
      this.#options.log.info(
        { id: envelope.id, action: envelope.action, meantFor: envelope.connection_id },
        'command dropped: meant for another connection',
      );
    } else if (!this.#draining) {
      this.#commands.receive(envelope);
    }
  }

  /** Publishes the open call again: the broker is back and may have lost it. */
  publishAgain(): void {
    this.#calls.publishAgain();
  }

  /** Pings the station, or terminates the socket when the connection is dead. */
  ping(): void {
    const fault = this.#liveness.fault();
    // A paused socket is not read, so its pongs cannot be seen.
    if (fault !== undefined && !this.#socket.isPaused) {
      this.#options.log.info(`connection is dead: ${fault}`);
      this.#socket.terminate();
      return;
    }
    this.#liveness.onPing();
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }

  /** Closes with a code for the station; terminates the socket if the station does not complete the close in time. */
  close(code: number, reason: string): void {
    this.#draining = true;
    this.#calls.close();
    // The station's close frame must be read, but not a flood before it.
    if (code !== CLOSE.policyViolation) this.#socket.resume();
    this.#socket.close(code, reason);
    setTimeout(() => this.#socket.terminate(), CLOSE_GRACE_MS).unref();
  }

  /** Accepts no new calls, waits until the open ones are answered, then closes. */
  async drain(): Promise<void> {
    this.#draining = true;
    await this.#calls.emptied();
    this.close(CLOSE.restart, 'the gateway restarts');
  }

  #setPaused(why: 'queue' | 'budget', paused: boolean): void {
    if (paused) this.#pauses.add(why);
    else this.#pauses.delete(why);
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#pauses.size > 0) {
      this.#socket.pause();
      return;
    }
    // The pong to the last ping may still be unread.
    this.#liveness.hear();
    this.#socket.resume();
  }

  #onControlFrame(data: Buffer): void {
    this.#liveness.hear();
    this.#budget.spend(data.length);
    this.#cutWhenUnread();
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    this.#liveness.hear();
    const receivedAt = new Date().toISOString();
    const bytes = bytesOf(data);
    this.#budget.spend(bytes.length);
    const text = bytes.toString();
    const frame: Frame | MalformedFrame | { type: 'blank' } = isBinary
      ? { type: 'malformed', reason: 'a binary message: OCPP-J is text' }
      : parseFrame(text);
    if (frame.type === 'blank') return;
    this.#options.metrics.countFrame('in', frame.type);
    if (frame.type === 'malformed') {
      // After the gateway's close frame only results are read: they report what has already happened.
      if (this.#socket.readyState === this.#socket.OPEN)
        this.#onMalformed(frame, isBinary ? `(${bytes.length} bytes)` : text, receivedAt);
      return;
    }
    this.#unreadableFrames = undefined;
    if (frame.type === 2) {
      if (!this.#draining) this.#calls.receive(frame, receivedAt, bytes.length);
    } else if (!this.#commands.answer(frame, receivedAt)) {
      this.#options.log.warn({ id: frame.id }, 'answer dropped: no such command');
    }
  }

  #onMalformed(frame: MalformedFrame, text: string, receivedAt: string): void {
    if (!this.#malformed.add()) {
      this.close(CLOSE.policyViolation, 'a flood of frames that are not OCPP-J');
      return;
    }
    this.#recordMalformed(frame, text, receivedAt);
    if (frame.answer) {
      this.#send(frame.answer);
      return;
    }
    if (frame.answeredId !== undefined)
      this.#commands.answerUnreadable(frame.answeredId, frame.reason, receivedAt);
    if (this.#unreadableFrames === undefined) return;
    this.#unreadableFrames++;
    if (this.#unreadableFrames >= UNREADABLE_LIMIT)
      this.close(CLOSE.protocolError, 'too many frames that are not OCPP-J');
  }

  #recordMalformed({ reason, answer }: MalformedFrame, text: string, receivedAt: string): void {
    const recorded = this.#malformed.record();
    if (!recorded) return;
    const { leftOut } = recorded;
    const { stationId, connectionId } = this;
    // Mask before truncating: half a secret cannot be recognised.
    const shown = hideSecretText(text);
    this.#options.log.warn(
      { reason, text: shown.slice(0, 200), ...(leftOut > 0 && { leftOut }) },
      'unreadable frame',
    );
    this.#options.onUnreadable({
      stationId,
      connectionId,
      receivedAt,
      text: shown.slice(0, RECORDED_CHARACTERS),
      reason: leftOut > 0 ? `${reason} (${leftOut} unreadable frames before it were not recorded)` : reason,
      ...(answer && { answer: formatFrame(answer) }),
    });
  }

  #send(frame: Frame): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#cutWhenUnread()) return;
    this.#options.metrics.countFrame('out', frame.type);
    this.#socket.send(formatFrame(frame));
  }

  #cutWhenUnread(): boolean {
    const { bufferedAmount } = this.#socket;
    if (bufferedAmount <= MAX_UNREAD_BYTES) return false;
    this.#options.log.warn({ bufferedAmount }, 'disconnected: the station does not read its data');
    this.#socket.terminate();
    return true;
  }
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}
