import { RuleViolation } from '../commands/command.ts';
import { checkChange } from '../configuration/configuration.rules.ts';
import { judge } from './configuration-evaluation.ts';
import * as desired from './desired-configuration.store.ts';
import type { DesiredKey, Outcome, StationState } from './desired-configuration.store.ts';
import { isUnanswered, send } from './desired-state.ts';
import type { DesiredState, ReconciliationContext, Step } from './desired-state.ts';
import { READING_SECONDS } from './reconciliations.store.ts';

/** A station that does not answer is left alone for so long. */
const PAUSE_SECONDS = 300;
/** How long a station may take to boot after a Reset that it has accepted. */
const BOOT_SECONDS = 900;

/**
 * The configuration that a station is to have: what differs is changed, key by key, whatever becomes of the others. Looked at after each
 * boot, when the station connects after a while, and whenever it has told of its configuration.
 */
export const configuration: DesiredState<object> = {
  permanent: true,
  async next(_wanted, context) {
    const { db, stationId } = context;
    await noteAnswer(context);
    const station = await desired.state(db, stationId);
    const keys = await desired.effective(db, stationId);
    if (!station || keys.length === 0) return { do: 'succeeded' };
    return nextReading(station, context) ?? (await nextChange(station, keys, context));
  },
};

// What became of the last change: again and again the same, until there is a younger one.
async function noteAnswer({ db, stationId, last, now }: ReconciliationContext): Promise<void> {
  if (!last || !['answered', 'failed', 'timedOut', 'connectionLost'].includes(last.status)) return;
  if (last.action === 'GetConfiguration' && last.status !== 'timedOut')
    return desired.noteAsked(db, stationId, last.sentAt ?? now);
  if (last.action !== 'ChangeConfiguration') return;
  const { key, value } = last.request as { key: string; value: string };
  const at = last.completedAt ?? now;
  await desired.record(db, stationId, [{ key, value, ...outcomeOf(last), at, driftedAt: null }]);
}

const WORDS: Record<string, Outcome['outcome']> = {
  Accepted: 'accepted',
  RebootRequired: 'rebootRequired',
  Rejected: 'rejected',
  NotSupported: 'notSupported',
};

function outcomeOf({
  status,
  response,
  error,
}: NonNullable<ReconciliationContext['last']>): Pick<Outcome, 'outcome' | 'reason'> {
  if (status !== 'answered') {
    const why = error ? `${error.code}: ${error.description}` : 'it did not answer';
    return { outcome: 'unreachable', reason: why };
  }
  const word = String((response as { status?: unknown } | null)?.status);
  const outcome = WORDS[word] ?? 'rejected';
  const isTaken = outcome === 'accepted' || outcome === 'rebootRequired';
  return { outcome, reason: isTaken ? null : `the station answered ${word}` };
}

// After each boot; after a connection now and then: somebody may have changed it on the spot meanwhile.
function nextReading(station: StationState, { last, now }: ReconciliationContext): Step | undefined {
  const { bootedAt, connectedAt, readAt } = station;
  const isOld =
    readAt === null ||
    (bootedAt !== null && readAt < bootedAt) ||
    (connectedAt !== null && readAt < connectedAt && secondsLeft(readAt, READING_SECONDS, now) <= 0);
  if (!isOld) return undefined;
  if (last?.action === 'GetConfiguration' && last.status === 'timedOut') {
    const seconds = secondsLeft(last.completedAt, PAUSE_SECONDS, now);
    if (seconds > 0)
      return { do: 'wait', doing: 'GetConfiguration had no answer; it is asked again later', seconds };
  }
  return send('GetConfiguration', {}, 'asks for its configuration');
}

async function nextChange(
  station: StationState,
  keys: DesiredKey[],
  context: ReconciliationContext,
): Promise<Step> {
  const { db, stationId } = context;
  const outcomes: Outcome[] = [];
  let change: DesiredKey | undefined;
  for (const key of keys) {
    const outcome =
      judge(key, { ...context, ...station }) ?? (change ? undefined : await brokenRule(key, context));
    if (outcome) outcomes.push(outcome);
    else change ??= key;
  }
  const drifted = change && driftOf(change);
  await desired.record(db, stationId, [...outcomes.filter(isNews(keys)), ...(drifted ? [drifted] : [])]);
  if (!change) return conclude(outcomes, station, context);
  const { key, value } = change;
  return send('ChangeConfiguration', { key, value }, `changes ${key}`);
}

// What we would not send is refused without the station.
async function brokenRule(
  { key, value }: DesiredKey,
  { db, stationId, now }: ReconciliationContext,
): Promise<Outcome | undefined> {
  try {
    await checkChange({ key, value }, { db, stationId });
    return undefined;
  } catch (error) {
    if (!(error instanceof RuleViolation)) throw error;
    return { key, value, outcome: 'rejected', reason: error.message, at: now, driftedAt: null };
  }
}

// The station had accepted the value, and has another one now.
function driftOf({ key, value, known, tried }: DesiredKey): Outcome | undefined {
  if (!known || tried?.outcome !== 'accepted' || tried.value !== value) return undefined;
  return { ...tried, key, at: tried.at, driftedAt: known.readAt };
}

function isNews(keys: DesiredKey[]): (outcome: Outcome) => boolean {
  const before = new Map(keys.map(({ key, tried }) => [key, tried]));
  return ({ key, value, outcome, at }) => {
    const tried = before.get(key);
    return tried?.value !== value || tried.outcome !== outcome || tried.at < at;
  };
}

function conclude(outcomes: Outcome[], station: StationState, context: ReconciliationContext): Step {
  const of = (...words: Outcome['outcome'][]): Outcome[] =>
    outcomes.filter(({ outcome }) => words.includes(outcome));
  const silent = of('unreachable');
  if (silent.length > 0) {
    const doing = `had no use of an answer for ${names(silent)}; tried again later`;
    const seconds = Math.min(...silent.map(({ at }) => secondsLeft(at, PAUSE_SECONDS, context.now)));
    return { do: 'wait', doing, seconds: Math.max(1, seconds) };
  }
  const pending = of('rebootRequired');
  if (pending.length > 0 && station.reset === 'whenIdle') return nextReset(pending, station, context);
  const refused = of('rejected', 'notSupported', 'readonly', 'ineffective');
  if (refused.length === 0) return { do: 'succeeded' };
  const why = refused.map(({ key, outcome, reason }) => `${key} ${outcome}${reason ? ` (${reason})` : ''}`);
  return { do: 'failed', reason: `the station has not taken ${why.join(', ')}` };
}

function nextReset(pending: Outcome[], { isBusy }: StationState, { last, now }: ReconciliationContext): Step {
  if (last?.action === 'Reset' && last.status !== 'expired') {
    const word = (last.response as { status?: string } | null)?.status;
    // A reset is often answered by the reboot itself.
    const isTaken = word === 'Accepted' || isUnanswered(last);
    const seconds = secondsLeft(last.completedAt, BOOT_SECONDS, now);
    if (seconds > 0) {
      const doing = isTaken ? 'waits for it to boot' : 'it has refused a Reset, which is tried again later';
      return { do: 'wait', doing, seconds };
    }
    if (isTaken)
      return {
        do: 'failed',
        reason: `the station was reset for ${names(pending)} and has not booted; reset it by hand`,
      };
  }
  if (isBusy)
    return {
      do: 'wait',
      doing: `waits until no transaction runs, to reset it for ${names(pending)}`,
      seconds: 10,
    };
  return send('Reset', { type: 'Soft' }, `resets it for ${names(pending)}`);
}

function names(outcomes: Outcome[]): string {
  return outcomes.map(({ key }) => key).join(', ');
}

function secondsLeft(since: Date | null, seconds: number, now: Date): number {
  return since ? Math.ceil((since.getTime() - now.getTime()) / 1000) + seconds : 0;
}
