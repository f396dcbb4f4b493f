// G.5: stations omit seconds or the offset, and use spaces, lower case, commas and +0200.
const LENIENT =
  /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)[Tt ](?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:[.,](?<fraction>\d+))?)? ?(?<offset>[Zz]|[+-]\d\d(?::?\d\d)?)?$/;

const STRICT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Parses a station's timestamp leniently; undefined if it is invalid. A missing offset means UTC. */
export function parseDateTime(text: string): Date | undefined {
  const parts = LENIENT.exec(text.trim())?.groups;
  if (!parts) return undefined;
  const part = (name: string): number => Number(parts[name] ?? 0);
  const offset = offsetMinutes(parts['offset']);
  // RFC 3339 §5.6: second 60 is a leap second.
  if (part('hour') > 23 || part('minute') > 59 || part('second') > 60 || offset === undefined)
    return undefined;

  const date = new Date(0);
  date.setUTCFullYear(part('year'), part('month') - 1, part('day'));
  // A nonexistent day or month has overflowed into another month.
  if (date.getUTCMonth() !== part('month') - 1) return undefined;

  const milliseconds = Number((parts['fraction'] ?? '').padEnd(3, '0').slice(0, 3));
  date.setUTCHours(part('hour'), part('minute') - offset, part('second'), milliseconds);
  // Only these years fit RFC 3339 and the database.
  return date.getUTCFullYear() >= 1 && date.getUTCFullYear() <= 9999 ? date : undefined;
}

/** Strict RFC 3339, as Evander sends it. */
export function isDateTime(text: string): boolean {
  return STRICT.test(text) && parseDateTime(text) !== undefined;
}

function offsetMinutes(offset = 'Z'): number | undefined {
  if (offset.toUpperCase() === 'Z') return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(3).replace(':', '') || 0);
  if (hours > 23 || minutes > 59) return undefined;
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
