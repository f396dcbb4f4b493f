import { configurationKey, isSameValue } from '../configuration/configuration-keys.ts';
import type { DesiredKey, Outcome } from './desired-configuration.store.ts';

/** A change that the station did not answer is retried after this time. */
const RETRY_MS = 300_000;

export interface Times {
  bootedAt: Date | null;
  /** When the desired configuration was last set. */
  requestedAt: Date;
  now: Date;
}

/** Evaluates a desired value: its outcome if it need not be sent, undefined if it must be sent. */
export function evaluate(desired: DesiredKey, times: Times): Outcome | undefined {
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
    return { ...common, outcome: 'readonly', reason: 'the key is read-only', at: times.now };
  if (tried?.value !== value) return undefined;
  const unchanged = { ...tried, key, driftedAt: null };
  switch (tried.outcome) {
    case 'accepted':
      // A station may have keys that it does not list.
      return known && known.readAt > tried.at ? undefined : unchanged;
    case 'rebootRequired':
      return evaluatePending(desired, times);
    case 'unreachable':
      // Not retried after a boot: the value may be what makes the station reboot.
      return tried.at >= times.requestedAt && times.now.getTime() - tried.at.getTime() < RETRY_MS
        ? unchanged
        : undefined;
    case 'ineffective':
      return tried.at >= times.requestedAt ? unchanged : undefined;
    default:
      return tried.at >= times.requestedAt && (times.bootedAt === null || tried.at >= times.bootedAt)
        ? unchanged
        : undefined;
  }
}

// Avoids endless resets of stations that answer RebootRequired but never apply the value.
function evaluatePending({ key, known, tried }: DesiredKey, { bootedAt, now }: Times): Outcome | undefined {
  if (!tried) return undefined;
  const unchanged = { ...tried, key, driftedAt: null };
  if (bootedAt === null || tried.at >= bootedAt) return unchanged;
  if (!known || known.readAt < bootedAt) return { ...unchanged, outcome: 'accepted', at: now };
  const reason = 'the station answered RebootRequired, but has another value after the boot';
  return { ...unchanged, outcome: 'ineffective', reason, at: now };
}

function laterOf(one: Date, other: Date | undefined): Date {
  return other && other > one ? other : one;
}
