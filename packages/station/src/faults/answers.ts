import type { CommandAction, ErrorCode } from '@evander/ocpp';

/** A scripted answer to a command instead of the normal one. With only `afterMs`, the normal answer is delayed. */
export type ScriptedAnswer =
  // No answer and no effect.
  | 'silence'
  // The socket is terminated.
  | 'dropSocket'
  // The socket is terminated and the station restarts.
  | 'crash'
  // This payload, unchecked, without effect.
  | { response: object; afterMs?: number }
  // A CALLERROR, without effect.
  | { error: ErrorCode; description?: string; afterMs?: number }
  | { afterMs: number };

/** The scripted answers by action; they take precedence over everything else. */
export class Answers {
  readonly #always = new Map<string, ScriptedAnswer>();
  readonly #next = new Map<string, ScriptedAnswer[]>();

  constructor(always: { readonly [A in CommandAction]?: ScriptedAnswer } = {}) {
    for (const [action, how] of Object.entries(always)) this.#always.set(action, how);
  }

  /** Answers the next command of this action like this, once; several such answers queue up. */
  next(action: string, how: ScriptedAnswer): void {
    this.#next.set(action, [...(this.#next.get(action) ?? []), how]);
  }

  /** Answers all further commands of this action like this; undefined restores the normal answer. */
  set(action: string, how: ScriptedAnswer | undefined): void {
    if (how === undefined) this.#always.delete(action);
    else this.#always.set(action, how);
  }

  /** Restores the normal answers. */
  clear(): void {
    this.#always.clear();
    this.#next.clear();
  }

  /** Called for each command. */
  take(action: string): ScriptedAnswer | undefined {
    return this.#next.get(action)?.shift() ?? this.#always.get(action);
  }
}
