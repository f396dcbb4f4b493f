import type { CommandAction, ErrorCode } from '@evander/ocpp';

/** How a command is answered in place of the good answer. With `afterMs` alone the good answer comes late. */
export type ScriptedAnswer =
  // Nothing is answered, and nothing is done.
  | 'silence'
  // The socket is cut.
  | 'dropSocket'
  // The socket is cut and the station restarts.
  | 'crash'
  // This payload, unchecked, and nothing is done.
  | { response: object; afterMs?: number }
  // A CALLERROR, and nothing is done.
  | { error: ErrorCode; description?: string; afterMs?: number }
  | { afterMs: number };

/** The bad answers that are asked for, by action; the station does not look further than this. */
export class Answers {
  readonly #always = new Map<string, ScriptedAnswer>();
  readonly #next = new Map<string, ScriptedAnswer[]>();

  constructor(always: { readonly [A in CommandAction]?: ScriptedAnswer } = {}) {
    for (const [action, how] of Object.entries(always)) this.#always.set(action, how);
  }

  /** The next command of this action that has no answer waiting is answered so, once. */
  next(action: string, how: ScriptedAnswer): void {
    this.#next.set(action, [...(this.#next.get(action) ?? []), how]);
  }

  /** All further commands of this action are answered so; undefined goes back to the good answer. */
  set(action: string, how: ScriptedAnswer | undefined): void {
    if (how === undefined) this.#always.delete(action);
    else this.#always.set(action, how);
  }

  /** Every command gets its good answer again. */
  clear(): void {
    this.#always.clear();
    this.#next.clear();
  }

  /** Asked for each command. */
  take(action: string): ScriptedAnswer | undefined {
    return this.#next.get(action)?.shift() ?? this.#always.get(action);
  }
}
