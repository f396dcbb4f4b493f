import type { ByteRange } from './contents.ts';

/** What of a file is to be sent: all, a part, or nothing, as the range lies outside. */
export type Selection = { status: 200 | 206; range: ByteRange } | { status: 416 };

/**
 * What a Range header selects of so many bytes (RFC 9110 §14.2). One that cannot be read, or that names several parts, is ignored:
 * then all is sent.
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

/** Does a list of entity tags, as in If-None-Match, name this one? */
export function namesTag(header: string | undefined, tag: string): boolean {
  const tags = (header ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(tag);
}

/** May the range be sent, by If-Range? A date never matches exactly enough, so then all is sent. */
export function rangeIsMeant(ifRange: string | undefined, tag: string): boolean {
  return ifRange === undefined || ifRange.trim() === tag;
}
