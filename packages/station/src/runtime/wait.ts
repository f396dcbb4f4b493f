/** The maximum delay of a Node.js timer. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Resolves after `ms`, or immediately when the signal is aborted: the caller checks the signal. */
export function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish);
  });
}
