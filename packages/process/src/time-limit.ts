export interface TimeLimit {
  /** Aborts with a TimeoutError when the time is over, or with the reason of the outer signal. */
  readonly signal: AbortSignal;
  /** To be called when the work is done, in time or not. */
  end(): void;
}

/**
 * A limit of so many milliseconds for a piece of work that an outer signal may abort as well. In place of AbortSignal.any with
 * AbortSignal.timeout: in Node.js 20 the garbage collector may take such a timeout before it fires.
 */
export function timeLimit(ms: number, outer?: AbortSignal): TimeLimit {
  const controller = new AbortController();
  const onTimeout = (): void =>
    controller.abort(new DOMException(`not done within ${ms} ms`, 'TimeoutError'));
  const onAbort = (): void => controller.abort(outer?.reason);
  const timer = setTimeout(onTimeout, ms);
  if (outer?.aborted) onAbort();
  outer?.addEventListener('abort', onAbort);
  return {
    signal: controller.signal,
    end: () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onAbort);
    },
  };
}
