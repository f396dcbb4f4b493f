import { explained } from './environment-faults.ts';
import { createLog } from './log.ts';
import type { Log } from './log.ts';
import { runProcess } from './run.ts';
import type { Running } from './run.ts';
import { describeSettings, readSettings, SettingsError, unknownVariables } from './settings.ts';
import type { SettingName, Settings } from './settings.ts';
import { startTracing } from './tracing.ts';

export interface ProcessOptions<N extends SettingName, R extends SettingName = never> {
  /** The name of the process in its log and help. */
  name: string;
  settings: readonly (N | 'logLevel' | 'drainSeconds')[];
  /** The required ones of these settings. */
  required?: readonly R[];
  start(settings: Settings<N | 'logLevel' | 'drainSeconds', R>, log: Log): Promise<Running>;
}

/** Runs a process: help, settings, log, start, graceful shutdown. Invalid settings exit with code 2. */
export async function main<N extends SettingName, R extends SettingName = never>({
  name,
  settings,
  required,
  start,
}: ProcessOptions<N, R>): Promise<void> {
  if (process.argv.includes('--help')) {
    console.log(`Usage: ${name}\n\nEnvironment:\n${describeSettings(settings)}`);
    return;
  }
  try {
    const values = readSettings(process.env, settings, required);
    const log = createLog(name, values.logLevel);
    for (const variable of unknownVariables(process.env)) {
      log.warn(`${variable} is set, but Evander has no such variable`);
    }
    const endTracing = await startTracing(process.env, name);
    await runProcess(log, values.drainSeconds, async () => {
      const running = await start(values, log).catch((error: unknown) => {
        throw explained(error, values);
      });
      return {
        ...running,
        close: async () => {
          await running.close();
          // An unreachable collector must not prevent a clean exit.
          await endTracing().catch((error: unknown) => log.warn({ err: error }, 'traces were not sent'));
        },
      };
    });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}
