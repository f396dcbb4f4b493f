import { configurationKey, isSameValue } from '../configuration/configuration-keys.ts';
import type { DesiredKey, Outcome } from './desired-configuration.store.ts';

/** Whoever gave no answer is tried again after this time. */
const RETRY_MS = 300_000;

export interface Times {
  bootedAt: Date | null;
  /** When it was last said what is desired. */
  requestedAt: Date;
  now: Date;
}

/** What is to be said of a desired value without sending it; undefined when it is to be sent. */
export function judge(desired: DesiredKey, times: Times): Outcome | undefined {
  const { key, value, known, tried } = desired;
  const common = { key, value, reason: null, driftedAt: null };
  if (known && isSameValue(key, known.value, value)) {
    const outcome = known.rebootRequired ? 'rebootRequired' : 'accepted';
    return {
      ...common,
      outcome,
      at: tried?.outcome === outcome && tried.value === value ? tried.at : laterOf(known.readAt, tried?.at),
    };
  }
  if (known ? known.readonly : configurationKey(key)?.access === 'read')
    return { ...common, outcome: 'readonly', reason: 'it can only be read', at: times.now };
  if (tried?.value !== value) return undefined;
  const holds = { ...tried, key, driftedAt: null };
  switch (tried.outcome) {
    case 'accepted':
      // What a station does not list it may have all the same.
      return known && known.readAt > tried.at ? undefined : holds;
    case 'rebootRequired':
      return judgePending(desired, times);
    case 'unreachable':
      // Whoever boots because of what it was sent is not sent it at each boot.
      return tried.at >= times.requestedAt && times.now.getTime() - tried.at.getTime() < RETRY_MS
        ? holds
        : undefined;
    case 'ineffective':
      return tried.at >= times.requestedAt ? holds : undefined;
    default:
      return tried.at >= times.requestedAt && (times.bootedAt === null || tried.at >= times.bootedAt)
        ? holds
        : undefined;
  }
}

// Whoever says RebootRequired forever, and means nothing by it, is not reset forever.
function judgePending({ key, known, tried }: DesiredKey, { bootedAt, now }: Times): Outcome | undefined {
  if (!tried) return undefined;
  const holds = { ...tried, key, driftedAt: null };
  if (bootedAt === null || tried.at >= bootedAt) return holds;
  if (!known || known.readAt < bootedAt) return { ...holds, outcome: 'accepted', at: now };
  const reason = 'it was answered RebootRequired, and after the boot the station has another value';
  return { ...holds, outcome: 'ineffective', reason, at: now };
}

function laterOf(one: Date, other: Date | undefined): Date {
  return other && other > one ? other : one;
}
