import { parseDateTime } from '@evander/ocpp';

/** A clock that is not set starts in 1970 or 2000; OCPP 1.6 dates from 2015. */
const FIRST_PLAUSIBLE_MS = Date.UTC(2010, 0, 1);
/** Clocks drift by minutes. Local time instead of UTC is ahead by half an hour or more. */
const MAX_AHEAD_MS = 30 * 60_000;

/** A time reported by a station, and whether it is plausible. */
export interface StationTime {
  /** The time that the station sent; the time of receipt if that is unreadable. */
  at: Date;
  /** False if the time is unreadable, before 2010, or ahead of the receipt. Any delay is plausible, because stations queue messages. */
  isPlausible: boolean;
  /** The first 50 characters of an unreadable time; otherwise null. */
  unreadable: string | null;
}

/** Reads a timestamp in a station's message that was received at `receivedAt`. */
export function readStationTime(timestamp: string, receivedAt: Date): StationTime {
  const at = parseDateTime(timestamp);
  if (!at) return { at: receivedAt, isPlausible: false, unreadable: timestamp.slice(0, 50) };
  return { at, isPlausible: isSet(at) && !isAhead(at, receivedAt), unreadable: null };
}

/** Is something known from after that moment? */
export function isAfter(known: Date | null, moment: Date): boolean {
  return known !== null && known > moment;
}

/** Is the time so far ahead of its receipt that the station's clock must be wrong? */
export function isAhead(at: Date, receivedAt: Date): boolean {
  return at.getTime() > receivedAt.getTime() + MAX_AHEAD_MS;
}

/** Does the time come from a clock that was set? */
export function isSet(at: Date): boolean {
  return at.getTime() >= FIRST_PLAUSIBLE_MS;
}
