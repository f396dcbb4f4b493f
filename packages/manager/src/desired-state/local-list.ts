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

/** Entries of one message to a station that has not said how many it takes, and the most for one that takes any number. */
const UNKNOWN_CHUNK = 20;
const LARGEST_CHUNK = 500;
/** A station that fails, or whose version contradicts what it has accepted, is left alone for so long. */
const PAUSE_SECONDS = 900;
/** So often a Full list is sent without a pause: once, and once more for a station that has lost it. */
const FULL_ATTEMPTS = 2;

/**
 * The local authorization list that a station is to have, computed again for each message from the tags and from what the station has
 * accepted: whoever takes over goes on with the next message, and a list that is long is not held anywhere.
 */
export const localList: DesiredState<object> = {
  permanent: true,
  reopen: openReconciliations.onTagChanges,
  async next(_wanted, context) {
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
      return { do: 'failed', reason: 'the station has no local authorization list: it answered so' };
    const emaids = await configuration.findsEmaidsOffline(db, stationId);
    const desired = { stationId, list, emaids, now, most: undefined };
    return nextUpdate(context, { known, attempts, desired });
  },
};

// Whoever did not answer, or with an error, or Failed to a Full list, is left alone for a while: the others do not wait for him. A boot
// may have cured what made it answer so; one that does not answer may boot because of what it is sent.
async function afterFailure(
  { db, stationId, last, now }: ReconciliationContext,
  { bootedAt }: Attempts,
): Promise<Step | undefined> {
  if (!last || last.status === 'expired') return undefined;
  const code = last.error?.code ?? '';
  if (last.action === 'GetLocalListVersion' && isUnknownAction(code))
    return { do: 'failed', reason: `the station has no local authorization list: ${code}` };
  const { updateType } = last.request as Partial<SendLocalListRequest>;
  const word = (last.response as { status?: string } | null)?.status ?? '';
  const hasFailed =
    last.status !== 'answered' ||
    (last.action === 'SendLocalList' &&
      updateType === 'Full' &&
      !['Accepted', 'NotSupported'].includes(word));
  const { completedAt } = last;
  const hasBooted =
    !isUnanswered(last) && bootedAt !== null && completedAt !== null && bootedAt > completedAt;
  const seconds = secondsLeft(completedAt, now);
  if (!hasFailed || hasBooted || seconds <= 0) return undefined;
  const what = last.status === 'answered' ? `the answer ${word}` : `no answer (${code || last.status})`;
  const isOff = (await configuration.boolean(db, stationId, 'LocalAuthListEnabled')) === false;
  const cause = isOff && word === 'Failed' ? '; its LocalAuthListEnabled is false: change it to true' : '';
  return { do: 'wait', doing: `tried again later: ${what} to ${last.action}${cause}`, seconds };
}

interface Known {
  known: LocalList | undefined;
  attempts: Attempts;
}

// Limits are asked for once, the version after each boot and before what is sent otherwise (SendLocalList.5).
async function nextReading(
  context: ReconciliationContext,
  { known, attempts }: Known,
): Promise<Step | undefined> {
  const { db, stationId, last } = context;
  const limit = await configuration.value(db, stationId, 'SendLocalListMaxLength');
  if (limit === undefined && known?.sentAt == null && last === undefined)
    return send('GetConfiguration', {}, 'asks for the limits of its local list');
  const { versionAt = null, version, mirroredVersion, needsFullSince } = known ?? {};
  const isOld = versionAt === null || (attempts.bootedAt !== null && versionAt < attempts.bootedAt);
  const isUncertain = last !== undefined && last.action === 'SendLocalList' && last.status !== 'answered';
  if (isOld || last === undefined || isUncertain)
    return send('GetLocalListVersion', {}, 'asks for the version of its local list');
  const isRight = version === mirroredVersion && needsFullSince == null;
  if (last.action === 'GetLocalListVersion' && isRight && attempts.fullAttempts > 0)
    await desiredLocalLists.noteAttempts(db, stationId, { fullAttempts: 0, fullTriedAt: null });
  return undefined;
}

async function nextUpdate(
  context: ReconciliationContext,
  { known, attempts, desired: all }: Known & { desired: Desired },
): Promise<Step> {
  const { db, stationId } = context;
  const room = await configuration.integer(db, stationId, 'LocalAuthListMaxLength');
  const entries = room === undefined ? 0 : await desiredLocalLists.count(db, all);
  const isTooMuch = room !== undefined && entries > room;
  const desired = isTooMuch ? { ...all, most: room } : all;
  const most = await configuration.integer(db, stationId, 'SendLocalListMaxLength');
  const chunk = Math.max(1, Math.min(most ?? UNKNOWN_CHUNK, LARGEST_CHUNK));
  const step = needsFull(known)
    ? await nextFull(context, { known, attempts, desired, chunk })
    : await nextDifferential(context, { desired, chunk });
  if (step) return step;
  if (!isTooMuch) return { do: 'succeeded' };
  const reason = `${entries} tags are desired, and the LocalAuthListMaxLength of the station is ${room}: it has ${room} of them; want fewer`;
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
  if (fullAttempts >= FULL_ATTEMPTS && seconds > 0) {
    const doing = `sent again later: the station contradicts the list that it has accepted, ${fullAttempts} times`;
    return { do: 'wait', doing, seconds };
  }
  await desiredLocalLists.noteAttempts(db, stationId, { fullAttempts: fullAttempts + 1, fullTriedAt: now });
  return send(
    'SendLocalList',
    { updateType: 'Full', localAuthorizationList },
    `sends a Full list with ${localAuthorizationList.length} entries, the first ones`,
  );
}

// What goes makes room for what comes. After the last entry sent first, then from the beginning: a long list is not looked through for
// each of its messages.
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
