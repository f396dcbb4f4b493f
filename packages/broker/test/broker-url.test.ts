import { expect, test } from '@jest/globals';
import { readBrokerUrl } from '../src/broker-url.ts';

test.each([
  ['mqtt://broker:1883', { url: 'mqtt://broker:1883' }],
  ['mqtt://user@broker', { url: 'mqtt://broker', username: 'user' }],
  ['mqtt://u%3Aser:p%3Aa%40ss@broker', { url: 'mqtt://broker', username: 'u:ser', password: 'p:a@ss' }],
  ['tcp://broker', { url: 'mqtt://broker' }],
  ['ssl://broker?cafile=/ca', { url: 'mqtts://broker' }],
  ['wss://broker/mqtt?tenant=a&cafile=/ca', { url: 'wss://broker/mqtt?tenant=a' }],
])('splits %s into its parts', (text, parts) => {
  const { readTls, ...read } = readBrokerUrl(text);
  expect(read).toEqual(parts);
  expect(readTls).toBeDefined();
});

test.each([
  ['mqtt://user:a-password@broker?cafile=/ca', 'mqtts://'],
  ['mqtts://user:a-password@broker?certfile=/c', 'keyfile'],
  ['mqtts://user:a-password@broker?keyfile=/c', 'certfile'],
])('rejects %s', (text, words) => {
  const read = (): unknown => readBrokerUrl(text);
  expect(read).toThrow(words);
  expect(read).not.toThrow('a-password');
});

test('names a file that cannot be read', () => {
  expect(() => readBrokerUrl('mqtts://u:secret@broker?cafile=/nowhere/ca.pem').readTls()).toThrow(
    "cafile /nowhere/ca.pem of the broker's URL cannot be read: ENOENT",
  );
});
