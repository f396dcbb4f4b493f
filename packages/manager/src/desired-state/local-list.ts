import type { AuthorizationData, SendLocalListRequest } from '@evander/ocpp';
import { tagKey } from '../authorization/tags.store.ts';
import { isUnknownAction } from '../commands/command.ts';
import * as configuration from '../configuration/configuration.store.ts';
import * as localLists from '../local-lists/local-lists.store.ts';
import type { LocalList } from '../local-lists/local-lists.store.ts';
import * as desiredLocalLists from './desired-local-lists.store.ts';
import type { Attempts, Desired } from './desired-local-lists.store.ts';
import { isUnanswered, send } from './desired-state.ts';
import type { DesiredState, ReconciliationContext, Step } from './desired-state.ts';
import * as openReconciliations from './open-reconciliations.store.ts';

/** Entries per message: for stations whose limit is unknown, and the maximum for all. */
const DEFAULT_CHUNK = 20;
const MAX_CHUNK = 500;
/** How long to wait before retrying a station that fails, or whose version contradicts the list that it accepted. */
const PAUSE_SECONDS = 900;
/** Full lists sent without a pause: one, and another if the station has lost it. */
const MAX_FULL_ATTEMPTS = 2;

/**
 * The desired local authorization list of a station. Each message is computed from the tags and the entries that the station has
 * accepted, so another manager can continue with the next message, and long lists are never held in memory.
 */
export const localList: DesiredState<object> = {
  permanent: true,
  reopen: openReconciliations.onTagChanges,
  async next(_desired, context) {
    const { db, stationId, now } = context;
    const list = await desiredLocalLists.effective(db, stationId);
    const attempts = await desiredLocalLists.attempts(db, stationId);
    if (!list || !attempts) return { do: 'succeeded' };
    const pause = await afterFailure(context, attempts);
    if (pause) return pause;
    const known = await localLists.find(db, stationId);
    const reading = await nextReading(context, { known, attempts });
    if (reading) return reading;
    if (known?.version === -1)
      return { do: 'failed', reason: 'the station answered that it has no local authorization list' };
    const emaids = await configuration.findsEmaidsOffline(db, stationId);
    const desired = { stationId, list, emaids, now, maxEntries: undefined };
    return nextUpdate(context, { known, attempts, desired });
  },
};

// Pauses after no answer, an error, or Failed to a Full list. A boot ends the pause, because it may have fixed the cause; but not after
// no answer, because the message may be what makes the station reboot.
async function afterFailure(
  { db, stationId, last, now }: ReconciliationContext,
  { bootedAt }: Attempts,
): Promise<Step | undefined> {
  if (!last || last.status === 'expired') return undefined;
  const code = last.error?.code ?? '';
  if (last.action === 'GetLocalListVersion' && isUnknownAction(code))
    return { do: 'failed', reason: `the station has no local authorization list: ${code}` };
  const { updateType } = last.request as Partial<SendLocalListRequest>;
  const answer = (last.response as { status?: string } | null)?.status ?? '';
  const hasFailed =
    last.status !== 'answered' ||
    (last.action === 'SendLocalList' &&
      updateType === 'Full' &&
      !['Accepted', 'NotSupported'].includes(answer));
  const { completedAt } = last;
  const hasBooted =
    !isUnanswered(last) && bootedAt !== null && completedAt !== null && bootedAt > completedAt;
  const seconds = secondsLeft(completedAt, now);
  if (!hasFailed || hasBooted || seconds <= 0) return undefined;
  const what = last.status === 'answered' ? `the answer ${answer}` : `no answer (${code || last.status})`;
  const isDisabled = (await configuration.boolean(db, stationId, 'LocalAuthListEnabled')) === false;
  const hint =
    isDisabled && answer === 'Failed' ? '; its LocalAuthListEnabled is false: change it to true' : '';
  return { do: 'wait', doing: `will be retried later: ${what} to ${last.action}${hint}`, seconds };
}

interface Known {
  known: LocalList | undefined;
  attempts: Attempts;
}

// Reads the limits once, and the version after each boot, before the first message, and after a lost answer (SendLocalList.5).
async function nextReading(
  context: ReconciliationContext,
  { known, attempts }: Known,
): Promise<Step | undefined> {
  const { db, stationId, last } = context;
  const limit = await configuration.value(db, stationId, 'SendLocalListMaxLength');
  if (limit === undefined && known?.sentAt == null && last === undefined)
    return send('GetConfiguration', {}, 'reads the limits of its local list');
  const { versionAt = null, version, mirroredVersion, needsFullSince } = known ?? {};
  const isOld = versionAt === null || (attempts.bootedAt !== null && versionAt < attempts.bootedAt);
  const isUncertain = last !== undefined && last.action === 'SendLocalList' && last.status !== 'answered';
  if (isOld || last === undefined || isUncertain)
    return send('GetLocalListVersion', {}, 'reads the version of its local list');
  const isInSync = version === mirroredVersion && needsFullSince == null;
  if (last.action === 'GetLocalListVersion' && isInSync && attempts.fullAttempts > 0)
    await desiredLocalLists.recordAttempts(db, stationId, { fullAttempts: 0, fullTriedAt: null });
  return undefined;
}

async function nextUpdate(
  context: ReconciliationContext,
  { known, attempts, desired: all }: Known & { desired: Desired },
): Promise<Step> {
  const { db, stationId } = context;
  const capacity = await configuration.integer(db, stationId, 'LocalAuthListMaxLength');
  const entries = capacity === undefined ? 0 : await desiredLocalLists.count(db, all);
  const isTooLong = capacity !== undefined && entries > capacity;
  const desired = isTooLong ? { ...all, maxEntries: capacity } : all;
  const messageLimit = await configuration.integer(db, stationId, 'SendLocalListMaxLength');
  const chunk = Math.max(1, Math.min(messageLimit ?? DEFAULT_CHUNK, MAX_CHUNK));
  const step = needsFull(known)
    ? await nextFull(context, { known, attempts, desired, chunk })
    : await nextDifferential(context, { desired, chunk });
  if (step) return step;
  if (!isTooLong) return { do: 'succeeded' };
  const reason = `${entries} tags are desired, but the LocalAuthListMaxLength of the station is ${capacity}: it has ${capacity} of them; set fewer tags`;
  return { do: 'failed', reason };
}

function needsFull(known: LocalList | undefined): boolean {
  return (
    !known ||
    known.version === 0 ||
    known.mirroredVersion === null ||
    known.needsFullSince !== null ||
    known.version !== known.mirroredVersion
  );
}

interface Update {
  desired: Desired;
  chunk: number;
}

async function nextFull(
  { db, stationId, now }: ReconciliationContext,
  { known, attempts, desired, chunk }: Update & Known,
): Promise<Step | undefined> {
  const localAuthorizationList = await desiredLocalLists.first(db, desired, chunk);
  if (known?.version === 0 && localAuthorizationList.length === 0) return undefined;
  const { bootedAt, fullTriedAt } = attempts;
  const hasBooted = bootedAt !== null && fullTriedAt !== null && bootedAt > fullTriedAt;
  const fullAttempts = hasBooted ? 0 : attempts.fullAttempts;
  const seconds = secondsLeft(fullTriedAt, now);
  if (fullAttempts >= MAX_FULL_ATTEMPTS && seconds > 0) {
    const doing = `will be sent again later: the version that the station reports contradicts the list that it accepted (${fullAttempts} times)`;
    return { do: 'wait', doing, seconds };
  }
  await desiredLocalLists.recordAttempts(db, stationId, { fullAttempts: fullAttempts + 1, fullTriedAt: now });
  return send(
    'SendLocalList',
    { updateType: 'Full', localAuthorizationList },
    `sends a Full list with ${localAuthorizationList.length} entries`,
  );
}

// Removals come first, to make room. Missing entries are searched after the last entry sent, and only then from the beginning, so that a
// long list is not scanned for each message.
async function nextDifferential(
  { db, last }: ReconciliationContext,
  { desired, chunk }: Update,
): Promise<Step | undefined> {
  const gone = await desiredLocalLists.surplus(db, desired, chunk);
  const rows = chunk - gone.length;
  const after = lastSent(last);
  let missing = rows > 0 ? await desiredLocalLists.missing(db, desired, { after, rows }) : [];
  if (missing.length < rows && after !== '')
    missing = await desiredLocalLists.missing(db, desired, { after: '', rows });
  const localAuthorizationList: AuthorizationData[] = [...gone, ...missing];
  if (localAuthorizationList.length === 0) return undefined;
  return send(
    'SendLocalList',
    { updateType: 'Differential', localAuthorizationList },
    `sends ${missing.length} entries and removes ${gone.length}`,
  );
}

function lastSent(last: ReconciliationContext['last']): string {
  if (last?.action !== 'SendLocalList') return '';
  const { localAuthorizationList: sent = [] } = last.request as SendLocalListRequest;
  return tagKey(sent.at(-1)?.idTag ?? '');
}

function secondsLeft(since: Date | null, now: Date): number {
  return since ? Math.ceil((since.getTime() - now.getTime()) / 1000) + PAUSE_SECONDS : 0;
}
