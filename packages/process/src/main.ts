import { explained } from './environment-faults.ts';
import { createLog } from './log.ts';
import type { Log } from './log.ts';
import { runProcess } from './run.ts';
import type { Running } from './run.ts';
import { describeSettings, readSettings, SettingsError, unknownVariables } from './settings/read.ts';
import type { Settings, SettingTable } from './settings/setting.ts';
import type { SHARED_SETTINGS } from './settings/shared.ts';
import { startTracing } from './tracing.ts';

/** Settings that every process reads. */
type ProcessTable = Pick<typeof SHARED_SETTINGS, 'logLevel' | 'drainSeconds'>;

export interface ProcessOptions<T extends SettingTable & ProcessTable, R extends keyof T = never> {
  /** The name of the process in its log and help. */
  name: string;
  settings: T;
  /** The required ones of these settings. */
  required?: readonly R[];
  /** Settings of other processes, which may share an environment file: they are no misspelt ones. */
  others?: SettingTable;
  start(settings: Settings<T, R>, log: Log): Promise<Running>;
}

/** Runs a process: help, settings, log, start, graceful shutdown. Invalid settings exit with code 2. */
export async function main<T extends SettingTable & ProcessTable, R extends keyof T = never>({
  name,
  settings,
  required,
  others,
  start,
}: ProcessOptions<T, R>): Promise<void> {
  if (process.argv.includes('--help')) {
    console.log(`Usage: ${name}\n\nEnvironment:\n${describeSettings(settings)}`);
    return;
  }
  try {
    const values = readSettings(process.env, settings, required);
    const { logLevel, drainSeconds }: Settings<ProcessTable> = values;
    const log = createLog(name, logLevel);
    for (const variable of unknownVariables(process.env, { ...others, ...settings })) {
      log.warn(`${variable} is set, but ${name} reads no such variable`);
    }
    const endTracing = await startTracing(process.env, name);
    await runProcess(log, drainSeconds, async () => {
      const running = await start(values, log).catch((error: unknown) => {
        throw explained(error, values, settings);
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
