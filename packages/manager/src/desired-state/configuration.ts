import { RuleViolation } from '../commands/command.ts';
import { checkChange } from '../configuration/configuration.rules.ts';
import { evaluate } from './configuration-evaluation.ts';
import * as desired from './desired-configuration.store.ts';
import type { DesiredKey, Outcome, StationState } from './desired-configuration.store.ts';
import { isUnanswered, send } from './desired-state.ts';
import type { DesiredState, ReconciliationContext, Step } from './desired-state.ts';
import { READING_SECONDS } from './reconciliations.store.ts';

/** How long to wait before retrying a station that does not answer. */
const PAUSE_SECONDS = 300;
/** How long a station may take to boot after a Reset that it has accepted. */
const BOOT_SECONDS = 900;

/**
 * The desired configuration of a station. Keys that differ are changed one by one, even if others fail. Checked after each boot, when the
 * station connects and was not read recently, and whenever it has reported its configuration.
 */
export const configuration: DesiredState<object> = {
  permanent: true,
  async next(_desired, context) {
    const { db, stationId } = context;
    await recordAnswer(context);
    const station = await desired.state(db, stationId);
    const keys = await desired.effective(db, stationId);
    if (!station || keys.length === 0) return { do: 'succeeded' };
    return nextReading(station, context) ?? (await nextChange(station, keys, context));
  },
};

// Records the outcome of the last change. May run several times for one change; that is idempotent.
async function recordAnswer({ db, stationId, last, now }: ReconciliationContext): Promise<void> {
  if (!last || !['answered', 'failed', 'timedOut', 'connectionLost'].includes(last.status)) return;
  if (last.action === 'GetConfiguration' && last.status !== 'timedOut')
    return desired.recordReading(db, stationId, last.sentAt ?? now);
  if (last.action !== 'ChangeConfiguration') return;
  const { key, value } = last.request as { key: string; value: string };
  const at = last.completedAt ?? now;
  await desired.record(db, stationId, [{ key, value, ...outcomeOf(last), at, driftedAt: null }]);
}

const OUTCOMES_BY_STATUS: Record<string, Outcome['outcome']> = {
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
    const why = error ? `${error.code}: ${error.description}` : 'the station did not answer';
    return { outcome: 'unreachable', reason: why };
  }
  const answered = String((response as { status?: unknown } | null)?.status);
  const outcome = OUTCOMES_BY_STATUS[answered] ?? 'rejected';
  const isAccepted = outcome === 'accepted' || outcome === 'rebootRequired';
  return { outcome, reason: isAccepted ? null : `the station answered ${answered}` };
}

// Reads the configuration after each boot, and at most hourly after a connection: someone may have changed it on site.
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
      return { do: 'wait', doing: 'GetConfiguration was not answered; will be retried later', seconds };
  }
  return send('GetConfiguration', {}, 'reads its configuration');
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
      evaluate(key, { ...context, ...station }) ?? (change ? undefined : await violatedRule(key, context));
    if (outcome) outcomes.push(outcome);
    else change ??= key;
  }
  const drifted = change && driftOf(change);
  await desired.record(db, stationId, [...outcomes.filter(isNew(keys)), ...(drifted ? [drifted] : [])]);
  if (!change) return conclude(outcomes, station, context);
  const { key, value } = change;
  return send('ChangeConfiguration', { key, value }, `changes ${key}`);
}

// A change that violates a rule is rejected without sending it.
async function violatedRule(
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

// Drift: the station had accepted the value, but now has another one.
function driftOf({ key, value, known, tried }: DesiredKey): Outcome | undefined {
  if (!known || tried?.outcome !== 'accepted' || tried.value !== value) return undefined;
  return { ...tried, key, at: tried.at, driftedAt: known.readAt };
}

function isNew(keys: DesiredKey[]): (outcome: Outcome) => boolean {
  const before = new Map(keys.map(({ key, tried }) => [key, tried]));
  return ({ key, value, outcome, at }) => {
    const tried = before.get(key);
    return tried?.value !== value || tried.outcome !== outcome || tried.at < at;
  };
}

function conclude(outcomes: Outcome[], station: StationState, context: ReconciliationContext): Step {
  const of = (...kinds: Outcome['outcome'][]): Outcome[] =>
    outcomes.filter(({ outcome }) => kinds.includes(outcome));
  const unreachable = of('unreachable');
  if (unreachable.length > 0) {
    const doing = `no usable answer for ${names(unreachable)}; will be retried later`;
    const seconds = Math.min(...unreachable.map(({ at }) => secondsLeft(at, PAUSE_SECONDS, context.now)));
    return { do: 'wait', doing, seconds: Math.max(1, seconds) };
  }
  const pending = of('rebootRequired');
  if (pending.length > 0 && station.reset === 'whenIdle') return nextReset(pending, station, context);
  const refused = of('rejected', 'notSupported', 'readonly', 'ineffective');
  if (refused.length === 0) return { do: 'succeeded' };
  const why = refused.map(({ key, outcome, reason }) => `${key} ${outcome}${reason ? ` (${reason})` : ''}`);
  return { do: 'failed', reason: `the station did not accept ${why.join(', ')}` };
}

function nextReset(pending: Outcome[], { isBusy }: StationState, { last, now }: ReconciliationContext): Step {
  if (last?.action === 'Reset' && last.status !== 'expired') {
    const answer = (last.response as { status?: string } | null)?.status;
    // Stations often reboot instead of answering a Reset.
    const isResetting = answer === 'Accepted' || isUnanswered(last);
    const seconds = secondsLeft(last.completedAt, BOOT_SECONDS, now);
    if (seconds > 0) {
      const doing = isResetting ? 'waits for it to boot' : 'it refused a Reset, which will be retried later';
      return { do: 'wait', doing, seconds };
    }
    if (isResetting)
      return {
        do: 'failed',
        reason: `the station was reset for ${names(pending)} but has not booted; reset it manually`,
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
