import type { IdTagInfo } from '../authorization/authorize.ts';
import { tagKey } from '../authorization/tags.store.ts';
import type { OpenTransaction } from './messages-without-id.store.ts';
import type { Stop, StoppableTransaction } from './transactions.store.ts';
import type { Mismatch } from './unmatched-stops.store.ts';

/** A connector that said Finishing within this time of the stop has just said it. */
const JUST_MS = 60_000;

/**
 * The one open transaction of its station that a stop without an id means, or why there is none. The station never learnt the id
 * (1.6 errata §3.18): so it means one whose id it has never used, or else the only one that is open, as stations forget ids, too.
 */
export function inferTransaction(
  stop: Stop,
  open: readonly OpenTransaction[],
  stopTag: IdTagInfo | undefined,
): OpenTransaction | Mismatch {
  const possible = open.filter((transaction) => canEnd(stop, transaction, stopTag));
  const unlearnt = possible.filter(({ idUsed }) => !idUsed);
  const candidates = unlearnt.length === 0 && open.length === 1 ? possible : unlearnt;
  const [only, ...others] =
    candidates.length > 1 ? candidates.filter((transaction) => isEnding(stop, transaction)) : candidates;
  if (only && others.length === 0) return only;
  return candidates.length > 1 ? 'severalTransactions' : 'unknownTransaction';
}

function canEnd(stop: Stop, transaction: OpenTransaction, stopTag: IdTagInfo | undefined): boolean {
  const { startedAt, hasLaterStart, meterStartWh, lastWh } = transaction;
  return (
    startedAt <= stop.stoppedAt &&
    !hasLaterStart &&
    !isByOtherTag(stop, transaction, stopTag) &&
    Math.max(meterStartWh, lastWh ?? meterStartWh) <= stop.meterStopWh &&
    stop.meterStopWh - (lastWh ?? meterStartWh) <= possibleWh(stop.stoppedAt.getTime() - startedAt.getTime())
  );
}

/** What no connector gives more of in this time; the flag meterStopImplausible has the same bound (is_plausible_rise in migrations/0011-transactions.sql). */
function possibleWh(ms: number): number {
  return 100_000 + (ms / 3_600_000) * 1_000_000;
}

// Clear signs that this one of several is what the stop ends: its start was refused, or its connector says so.
function isEnding(stop: Stop, { idTagStatus, startedAt, finishingAt }: OpenTransaction): boolean {
  const isDeAuthorized = stop.reason === 'DeAuthorized' && idTagStatus !== 'Accepted';
  const isFinishing =
    finishingAt !== null &&
    finishingAt >= startedAt &&
    Math.abs(finishingAt.getTime() - stop.stoppedAt.getTime()) <= JUST_MS;
  return isDeAuthorized || isFinishing;
}

/** Is a stop by a tag that is neither the transaction's nor of its group? `stopTag`: what is known of the tag of the stop. */
export function isByOtherTag(
  stop: Stop,
  { idTag, parentIdTag }: StoppableTransaction,
  stopTag: IdTagInfo | undefined,
): boolean {
  if (stop.idTag === null || tagKey(stop.idTag) === tagKey(idTag)) return false;
  return parentIdTag === null || tagKey(stopTag?.parentIdTag ?? '') !== tagKey(parentIdTag);
}
