import { parseDateTime } from '@evander/ocpp';

/** A clock that is not set begins in 1970 or 2000; OCPP 1.6 is of 2015. */
const FIRST_PLAUSIBLE_MS = Date.UTC(2010, 0, 1);
/** Clocks drift by minutes. Local time in the place of UTC is ahead by half an hour or more. */
const MAX_AHEAD_MS = 30 * 60_000;

/** When something happened, as far as its station can be believed. */
export interface StationTime {
  /** What the station sent; the time of receipt where that cannot be read. */
  at: Date;
  /** False where it cannot be read, is from before 2010, or is ahead of the receipt. A queue may explain any delay. */
  isPlausible: boolean;
  /** What was sent, where it cannot be read; the first characters of it. */
  unreadable: string | null;
}

/** Reads the time in a station's message, which was received at the given time. */
export function readStationTime(timestamp: string, receivedAt: Date): StationTime {
  const at = parseDateTime(timestamp);
  if (!at) return { at: receivedAt, isPlausible: false, unreadable: timestamp.slice(0, 50) };
  return { at, isPlausible: isSet(at) && !isAhead(at, receivedAt), unreadable: null };
}

/** Is something known from after that moment? */
export function isAfter(known: Date | null, moment: Date): boolean {
  return known !== null && known > moment;
}

/** Is a clock ahead that said this before it was received? */
export function isAhead(at: Date, receivedAt: Date): boolean {
  return at.getTime() > receivedAt.getTime() + MAX_AHEAD_MS;
}

/** Was the clock set that says this? */
export function isSet(at: Date): boolean {
  return at.getTime() >= FIRST_PLAUSIBLE_MS;
}
