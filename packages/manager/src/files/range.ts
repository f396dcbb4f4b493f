import type { ByteRange } from './contents.ts';

/** The part of a file to send: all, a range, or none because the range is outside. */
export type Selection = { status: 200 | 206; range: ByteRange } | { status: 416 };

/**
 * The part of a file that a Range header selects (RFC 9110 §14.2). An invalid header, or one with several ranges, is ignored: it selects
 * the whole file.
 */
export function selectRange(header: string | undefined, sizeBytes: number): Selection {
  const all: Selection = { status: 200, range: { start: 0, end: sizeBytes - 1 } };
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(header?.replace(/\s/g, '') ?? '') ?? [];
  if (first === '' && last === '') return all;
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    if (length === 0) return { status: 416 };
    return { status: 206, range: { start: sizeBytes - length, end: sizeBytes - 1 } };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return all;
  if (start >= sizeBytes) return { status: 416 };
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  return { status: 206, range: { start, end } };
}

/** Whether a list of entity tags, such as If-None-Match, contains this one. */
export function namesTag(header: string | undefined, tag: string): boolean {
  const tags = (header ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(tag);
}

/** Whether If-Range allows a range. Dates never match, as they are not exact enough. */
export function allowsRange(ifRange: string | undefined, tag: string): boolean {
  return ifRange === undefined || ifRange.trim() === tag;
}
