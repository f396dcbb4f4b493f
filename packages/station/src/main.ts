#!/usr/bin/env node
import { HELP, readCommandLine, type CommandLine } from './command-line.ts';
import { Fleet, type FleetStatistics } from './fleet.ts';
import { UsageError } from './usage-error.ts';
import { wait } from './wait.ts';

const PROGRESS_MS = 5000;

async function main(args: string[]): Promise<void> {
  const commandLine = readCommandLine(args);
  if (commandLine) await run(commandLine);
  else process.stdout.write(HELP);
}

async function run({ fleet: options, durationSeconds }: CommandLine): Promise<void> {
  const fleet = new Fleet(options);
  const ending = new AbortController();
  const finish = () => ending.abort();
  process.once('SIGINT', finish);
  process.once('SIGTERM', finish);
  console.log(`${options.stations} stations connect to ${options.url}; seed ${fleet.seed}`);
  const progress = setInterval(() => console.log(progressLine(fleet.statistics())), PROGRESS_MS);
  void fleet.start();
  void fleet.finished.then(finish);
  await untilAborted(ending.signal, durationSeconds);
  const running = fleet.statistics();
  await fleet.stop();
  clearInterval(progress);
  const { connected, answersPerSecond } = running;
  const end = { ...fleet.statistics(), connected, answersPerSecond };
  printSummary(end);
  if (end.queued > 0 || end.violations > 0) process.exitCode = 1;
}

// The longest that a timer can wait; a signal or the last session ends it sooner.
const FOREVER_MS = 2 ** 31 - 1;

function untilAborted(signal: AbortSignal, seconds: number | undefined): Promise<void> {
  return wait(seconds === undefined ? FOREVER_MS : seconds * 1000, signal);
}

function progressLine(now: FleetStatistics): string {
  return (
    `connected ${now.connected}/${now.stations}  answers ${now.answers} (${now.answersPerSecond.toFixed(0)}/s)  ` +
    `p50 ${now.p50Ms.toFixed(1)} ms  p99 ${now.p99Ms.toFixed(1)} ms  sessions ${now.sessionsCompleted}  ` +
    `queued ${now.queued}  errors ${now.callErrors}  violations ${now.violations}`
  );
}

function printSummary(end: FleetStatistics): void {
  console.log(progressLine(end));
  console.log(
    `${end.sessionsCompleted} sessions delivered ${(end.energyWh / 1000).toFixed(1)} kWh; ` +
      `${end.sessionsRefused} were refused; ${end.refusedConnections} connections were refused; ` +
      `${end.queued} messages stayed unanswered`,
  );
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\npnpm station --help tells of them`);
  process.exitCode = 2;
}
