import { encodeEnvelope } from '@evander/broker';
import type { CallEnvelope, Envelope, ErrorEnvelope, ResultEnvelope } from '@evander/broker';
import { OcppError, parseDateTime } from '@evander/ocpp';
import { Redaction } from '@evander/process';
import type { Log } from '@evander/process';
import type { Database } from '../database/database.ts';
import { storableEnvelope } from '../database/storable.ts';
import { frameOf } from '../frames/frame-record.ts';
import type { Context } from '../messages/message.ts';
import type { ManagerMetrics } from '../observability/metrics.ts';
import { traced } from '../observability/tracing.ts';
import type { PlugAndCharge } from '../plug-and-charge/plug-and-charge.ts';
import type { Writer } from '../station-writer.ts';
import { answer, NotStoredError } from './answer.ts';
import type { AnswerOptions } from './answer.ts';

export interface RouterOptions extends AnswerOptions {
  database: Database;
  writer: Writer;
  heartbeatSeconds: number;
  /** Vendors whose DataTransfers are recorded without their data. */
  hiddenDataTransfers?: readonly string[];
  pnc: PlugAndCharge;
  /** Publishes an envelope to a station; false when the broker is away. */
  publish(stationId: string, payload: string): boolean;
  /** Handles a station's answer to a command; rejects if it could not be stored. */
  onAnswer(stationId: string, answer: ResultEnvelope | ErrorEnvelope, at: Date): Promise<void>;
  /** Called when an answer to a command could not be stored; it will be redelivered. */
  onAnswerNotStored(): void;
  markSeen(stationId: string, at: Date): void;
  /** Records that a station is connected, before its envelope is handled; rejects if that could not be stored. */
  hear(stationId: string, envelope: Envelope): Promise<void>;
  metrics: Pick<ManagerMetrics, 'countCall'>;
  now(): Date;
  log: Log;
}

/** Further calls stay unanswered; the gateway redelivers them. */
const MAX_CONCURRENT_CALLS = 5000;

/** Handles stations' envelopes from MQTT: answers calls, records answers to commands and completes them. */
export class Router {
  readonly #options: RouterOptions;
  readonly #redaction: Redaction;
  readonly #open = new Set<string>();
  #whenIdle: (() => void) | undefined;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#redaction = new Redaction(options.hiddenDataTransfers);
  }

  /** Routes one envelope. Never rejects; errors are logged. */
  async route(stationId: string, envelope: Envelope): Promise<void> {
    const { log } = this.#options;
    const receivedAt = this.#receivedAt(envelope);
    const key = `${stationId} ${envelope.type} ${envelope.id} ${receivedAt.getTime()}`;
    // A redelivery of a call that is still in progress.
    if (this.#open.has(key)) return;
    if (this.#open.size >= MAX_CONCURRENT_CALLS) {
      log.warn({ stationId }, 'too many calls in progress: call left for its redelivery');
      return;
    }
    this.#open.add(key);
    try {
      this.#options.markSeen(stationId, receivedAt);
      await this.#traced(stationId, envelope, async () => {
        await this.#hear(stationId, envelope);
        if (envelope.type === 2) await this.#onCall(stationId, envelope, receivedAt);
        else await this.#onAnswer(stationId, envelope, receivedAt);
      });
    } catch (error) {
      if (error instanceof NotStoredError)
        log.warn({ stationId, action: envelope.action, err: error }, 'not stored, not answered');
      else log.error({ stationId, action: envelope.action, err: error }, 'routing failed');
    } finally {
      this.#open.delete(key);
      if (this.#open.size === 0) this.#whenIdle?.();
    }
  }

  /** Resolves when no envelope is in progress. */
  async idle(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  #traced(stationId: string, { id, action }: Envelope, work: () => Promise<void>): Promise<void> {
    const about = { name: action.slice(0, 50), 'ocpp.station.id': stationId, 'ocpp.message.id': id };
    return traced('consumer', about, work);
  }

  async #hear(stationId: string, envelope: Envelope): Promise<void> {
    try {
      await this.#options.hear(stationId, envelope);
    } catch (error) {
      throw new NotStoredError('the connection could not be recorded', { cause: error });
    }
  }

  async #onCall(stationId: string, received: CallEnvelope, receivedAt: Date): Promise<void> {
    const call = storableEnvelope(received);
    const { database, writer, heartbeatSeconds, pnc, now } = this.#options;
    const log = this.#options.log.child({ stationId, messageId: call.id });
    const later: (() => Promise<void>)[] = [];
    const context: Context = {
      stationId,
      messageId: call.id,
      receivedAt,
      now,
      database,
      writer,
      heartbeatSeconds,
      pnc,
      afterAnswer: (work) => later.push(work),
      log,
    };
    const startedMs = performance.now();
    let outcome = 'notStored';
    try {
      const [reply] = await Promise.all([
        this.#replyTo(call, context),
        this.#record(stationId, call, receivedAt),
      ]);
      outcome = reply.type === 4 ? reply.error_code : 'result';
      // With the received id, byte for byte: the gateway finds the call by it.
      this.#options.publish(stationId, encodeEnvelope({ ...reply, id: received.id }));
      this.#recordLater(stationId, reply, call.request);
    } finally {
      this.#options.metrics.countCall(call.action, outcome, (performance.now() - startedMs) / 1000);
    }
    for (const work of later) await work();
  }

  async #replyTo(call: CallEnvelope, context: Context): Promise<Envelope> {
    const { id, action, received_at } = call;
    const header = { id, action, ...(received_at !== undefined && { received_at }) };
    try {
      const response = await answer(call, context, this.#options);
      return { type: 3, ...header, response: response as Record<string, unknown> };
    } catch (error) {
      if (!(error instanceof OcppError)) throw error;
      context.log.warn({ action, code: error.code, description: error.message }, 'answered with an error');
      return {
        type: 4,
        ...header,
        error_code: error.code,
        error_description: error.message,
        error_details: error.details,
      };
    }
  }

  async #onAnswer(
    stationId: string,
    received: ResultEnvelope | ErrorEnvelope,
    receivedAt: Date,
  ): Promise<void> {
    const answer = storableEnvelope(received);
    try {
      await this.#record(stationId, answer, receivedAt);
      await this.#options.onAnswer(stationId, { ...answer, id: received.id }, receivedAt);
    } catch (error) {
      this.#options.onAnswerNotStored();
      throw new NotStoredError('the answer to a command could not be stored', { cause: error });
    }
  }

  async #record(stationId: string, envelope: Envelope, receivedAt: Date): Promise<void> {
    const { writer } = this.#options;
    try {
      const about = { direction: 'in', recordedAt: receivedAt, redaction: this.#redaction } as const;
      await writer.frames.add([frameOf(stationId, envelope, about)]);
    } catch (error) {
      throw new NotStoredError('the frame could not be recorded', { cause: error });
    }
  }

  // The answer was published and its effects are stored, so it may be recorded later.
  #recordLater(stationId: string, envelope: Envelope, request: object): void {
    const { writer, now, log } = this.#options;
    const about = { direction: 'out', recordedAt: now(), redaction: this.#redaction, request } as const;
    writer.frames
      .add([frameOf(stationId, envelope, about)])
      .catch((error: unknown) => log.warn({ stationId, err: error }, 'an answer could not be recorded'));
  }

  #receivedAt({ received_at }: Envelope): Date {
    return (received_at !== undefined ? parseDateTime(received_at) : undefined) ?? this.#options.now();
  }
}
