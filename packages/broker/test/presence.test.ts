import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  ConnectionClock,
  decodeCloseRequest,
  decodePresence,
  encodeCloseRequest,
  encodePresence,
  listingsOf,
} from '../src/index.ts';
import type { Connection } from '../src/index.ts';

test('issues ids that sort by age within one millisecond', () => {
  const clock = new ConnectionClock('gw-a');
  const ids = [clock.next(1000), clock.next(1000), clock.next(1000)];
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(3);
});

test('issues no id below an observed one, whatever its own clock says', () => {
  const ahead = new ConnectionClock('gw-a');
  const behind = new ConnectionClock('gw-b');
  const old = ahead.next(9_000_000);
  behind.observe(old);
  expect(behind.next(1000) > old).toBe(true);
});

test('ignores an invalid id', () => {
  const clock = new ConnectionClock('gw-a');
  clock.observe('!!');
  expect(clock.next(1000)).toMatch(/^[0-9a-z]{9}-gw-a$/);
});

test('distinguishes close requests from listing requests and from invalid payloads', () => {
  const weak = [{ stationId: 'CP1', connectionId: '1', securityProfile: 2 }];
  expect(decodeCloseRequest(encodeCloseRequest(weak))).toEqual(weak);
  for (const other of ['', '{}', 'null', '[]', '{"weak":1}', '{"weak":[null]}', '{"weak":[{}]}'])
    expect(decodeCloseRequest(other)).toBeUndefined();
});

const connections = fc.array(
  fc.record({
    stationId: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 48 }),
    ms: fc.nat(),
    remoteAddress: fc.ipV6(),
  }),
  { maxLength: 50, size: 'max' },
);

test('listings together contain each connection once, none is above 256 kB, and their bounds leave no gap', () => {
  fc.assert(
    fc.property(connections, fc.integer({ min: 1, max: 300 }), (some, times) => {
      const clock = new ConnectionClock('gw-a');
      const held: Connection[] = Array.from({ length: times }, () => some)
        .flat()
        .map(({ stationId, ms, remoteAddress }) => ({
          stationId,
          remoteAddress,
          connectionId: clock.next(ms),
          connectedAt: new Date(ms).toISOString(),
        }));
      const shuffled = [...held].sort((a, b) => (a.stationId < b.stationId ? -1 : 1));
      const upTo = clock.next();
      const listings = listingsOf(shuffled, upTo);
      expect(listings.flatMap((listing) => listing.connections)).toEqual(held);
      let after = '';
      for (const listing of listings) {
        expect(encodePresence(listing).length).toBeLessThan(256_000);
        expect(decodePresence(encodePresence(listing))).toEqual(listing);
        expect(listing.after).toBe(after);
        const isWithin = ({ connectionId }: Connection): boolean =>
          connectionId > after && connectionId <= listing.upTo;
        expect(listing.connections.filter((connection) => !isWithin(connection))).toEqual([]);
        after = listing.upTo;
      }
      expect(after).toBe(upTo);
    }),
    { numRuns: 30, examples: [[[], 1]] },
  );
});

test('reads the single listing of a gateway of the previous version', () => {
  const listed = [{ stationId: 'CP1', connectionId: '1', connectedAt: '2026-11-20T10:00:00Z' }];
  expect(decodePresence(JSON.stringify({ kind: 'all', asOf: '5', connections: listed }))).toEqual({
    kind: 'listing',
    after: '',
    upTo: '5',
    connections: listed,
  });
});

test.each([
  { kind: 'all', connections: [] },
  { kind: 'listing', connections: [] },
  { kind: 'listing', after: '', connections: [] },
  { kind: 'listing', after: 1, upTo: '5', connections: [] },
  { kind: 'listing', after: '', upTo: '5' },
  { kind: 'listing', after: '', upTo: '5', connections: [{}] },
])('%j is not presence: a listing without bounds would end connections that it may not cover', (value) => {
  expect(decodePresence(JSON.stringify(value))).toBeUndefined();
});
