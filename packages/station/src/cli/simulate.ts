import { Fleet, type FleetStatistics } from '../fleet/fleet.ts';
import { MAX_TIMER_MS, wait } from '../runtime/wait.ts';
import { EXIT, type CommandLine } from './command-line.ts';
import { Journal } from './journal.ts';

const PROGRESS_MS = 5000;

/** Runs a command line until it is done or interrupted; returns the exit code. */
export async function simulate(
  { fleet: options, durationSeconds, show }: CommandLine,
  write: (line: string) => void,
  interrupted: AbortSignal,
): Promise<number> {
  const fleet = new Fleet(options);
  const journal = new Journal(fleet, { ...show, write });
  const ending = new AbortController();
  const finish = () => ending.abort();
  interrupted.addEventListener('abort', finish);
  const { stations, url } = options;
  const { seed } = fleet;
  const who = stations === 1 ? `${fleet.stations[0]?.stationId} connects` : `${stations} stations connect`;
  journal.summary('start', `${who} to ${url}; seed ${seed}. Ctrl-C ends it`, { stations, url, seed });
  const showProgress = (now: FleetStatistics) => journal.summary('progress', progressLine(now), now);
  const progress = show.details
    ? undefined
    : setInterval(() => showProgress(fleet.statistics()), PROGRESS_MS);
  void fleet.start();
  void fleet.finished.then(finish);
  await untilAborted(ending.signal, durationSeconds);
  const { connected, answersPerSecond } = fleet.statistics();
  await fleet.stop();
  clearInterval(progress);
  const end = { ...fleet.statistics(), connected, answersPerSecond };
  if (!show.details) showProgress(end);
  journal.summary('end', endLine(end), end);
  return exitCode(end);
}

function untilAborted(signal: AbortSignal, seconds: number | undefined): Promise<void> {
  // A signal or the last session ends it sooner.
  return wait(seconds === undefined ? MAX_TIMER_MS : seconds * 1000, signal);
}

function progressLine(now: FleetStatistics): string {
  return (
    `connected ${now.connected}/${now.stations}  answers ${now.answers} (${now.answersPerSecond.toFixed(0)}/s)  ` +
    `p50 ${now.p50Ms.toFixed(1)} ms  p99 ${now.p99Ms.toFixed(1)} ms  sessions ${now.sessionsCompleted}  ` +
    `queued ${now.queued}  errors ${now.callErrors}  violations ${now.violations}`
  );
}

function endLine(end: FleetStatistics): string {
  return (
    `${end.sessionsCompleted} sessions delivered ${(end.energyWh / 1000).toFixed(1)} kWh; ` +
    `${end.sessionsRefused} were refused; ${end.refusedConnections} attempts to connect failed; ` +
    `${end.queued} messages stayed unanswered`
  );
}

function exitCode({ neverAccepted, queued, violations, ...end }: FleetStatistics): number {
  if (neverAccepted > 0) return EXIT.neverAccepted;
  if (queued > 0 || violations > 0) return EXIT.broken;
  return end.sessionsCompleted === 0 && end.sessionsRefused > 0 ? EXIT.refused : EXIT.ok;
}
