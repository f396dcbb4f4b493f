import type { Log } from './log.ts';
import { OperationalError } from './environment-faults.ts';
import { SettingsError } from './settings/read.ts';

export interface Running {
  close(): Promise<void>;
  /** Rejects when it cannot continue; nothing is closed then. */
  readonly failed?: Promise<never>;
}

/**
 * Starts a process and shuts it down gracefully: on SIGTERM or SIGINT `close` has `drainSeconds` to finish work in progress; a second
 * signal exits immediately. A failed start or a fatal failure is logged with its cause and exits with code 1.
 */
export async function runProcess(
  log: Log,
  drainSeconds: number,
  start: () => Promise<Running>,
): Promise<void> {
  let running: Running | undefined;
  let closing = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (closing) process.exit(1);
    closing = true;
    log.info({ signal }, 'stopping');
    // Nothing has started yet, so there is nothing to finish.
    if (!running) process.exit(0);
    setTimeout(
      () => {
        log.error({ drainSeconds }, 'could not finish in time');
        process.exit(1);
      },
      drainSeconds * 1000 + 5000,
    ).unref();
    running.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  // As process 1 of a container, Node.js ignores signals without a listener.
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // After an unhandled error the state is unknown: log it and let the supervisor restart the process.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'unhandled error');
    process.exit(1);
  });
  try {
    running = await start();
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    exitWith(log, 'could not start', error);
  }
  running.failed?.catch((error: unknown) => {
    if (!closing) exitWith(log, 'cannot go on', error);
  });
}

function exitWith(log: Log, what: string, error: unknown): never {
  if (error instanceof OperationalError) log.fatal(`${what}: ${error.message}`);
  else log.fatal({ err: error }, what);
  process.exit(1);
}
