export interface TimeLimit {
  /** Aborts with a TimeoutError when the time is up, or with the reason of the outer signal. */
  readonly signal: AbortSignal;
  /** Call it when the work is done, in time or not. */
  end(): void;
}

/**
 * Limits work to `ms` milliseconds; an outer signal may abort it as well. This replaces AbortSignal.any with AbortSignal.timeout, because
 * in Node.js 20 such a timeout may be garbage-collected before it fires.
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
