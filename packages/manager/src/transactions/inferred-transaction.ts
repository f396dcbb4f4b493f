import type { IdTagInfo } from '../authorization/authorize.ts';
import { tagKey } from '../authorization/tags.store.ts';
import type { OpenTransaction } from './messages-without-id.store.ts';
import type { Stop, StoppableTransaction } from './transactions.store.ts';
import type { Mismatch } from './unmatched-stops.store.ts';

/** Maximum time between a Finishing status and the stop that it belongs to. */
const MAX_FINISHING_OFFSET_MS = 60_000;

/**
 * The open transaction of its station to which a stop without an id refers, or why it cannot be determined. The station never learned the
 * id (1.6 errata §3.18), so the stop refers to a transaction whose id the station has never used, or else to the only open one, because
 * stations may also forget ids.
 */
export function inferTransaction(
  stop: Stop,
  open: readonly OpenTransaction[],
  stopTag: IdTagInfo | undefined,
): OpenTransaction | Mismatch {
  const possible = open.filter((transaction) => canEnd(stop, transaction, stopTag));
  const withUnusedId = possible.filter(({ idUsed }) => !idUsed);
  const candidates = withUnusedId.length === 0 && open.length === 1 ? possible : withUnusedId;
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
    stop.meterStopWh - (lastWh ?? meterStartWh) <= maxEnergyWh(stop.stoppedAt.getTime() - startedAt.getTime())
  );
}

/** Upper bound of the energy from one connector in this time; meterStopImplausible uses the same (is_plausible_rise in migrations/0011-transactions.sql). */
function maxEnergyWh(ms: number): number {
  return 100_000 + (ms / 3_600_000) * 1_000_000;
}

// Clear evidence that the stop ends this transaction: its tag was refused at the start, or its connector reported Finishing.
function isEnding(stop: Stop, { idTagStatus, startedAt, finishingAt }: OpenTransaction): boolean {
  const isDeAuthorized = stop.reason === 'DeAuthorized' && idTagStatus !== 'Accepted';
  const isFinishing =
    finishingAt !== null &&
    finishingAt >= startedAt &&
    Math.abs(finishingAt.getTime() - stop.stoppedAt.getTime()) <= MAX_FINISHING_OFFSET_MS;
  return isDeAuthorized || isFinishing;
}

/** Was the stop made with a tag that is neither the transaction's nor in its group? `stopTag`: the IdTagInfo of the stop's tag. */
export function isByOtherTag(
  stop: Stop,
  { idTag, parentIdTag }: StoppableTransaction,
  stopTag: IdTagInfo | undefined,
): boolean {
  if (stop.idTag === null || tagKey(stop.idTag) === tagKey(idTag)) return false;
  return parentIdTag === null || tagKey(stopTag?.parentIdTag ?? '') !== tagKey(parentIdTag);
}
