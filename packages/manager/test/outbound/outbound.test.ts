import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { outbound, OutboundRefused } from '../../src/outbound/outbound.ts';

let server: Server;
let port: number;
let requests = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests++;
    if (request.url === '/away') response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    else if (request.url === '/long') response.end('x'.repeat(5000));
    else if (request.url === '/never') return;
    else request.pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const open = outbound({ allowPrivate: true });
const guarded = outbound({ allowPrivate: false });

test('sends a body and reads the answer', async () => {
  const answer = await open(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'hello' });
  expect(answer.status).toBe(200);
  expect(answer.body.toString()).toBe('hello');
});

test('follows no redirects and enforces the size limit', async () => {
  expect((await open(`http://127.0.0.1:${port}/away`)).status).toBe(302);
  await expect(open(`http://127.0.0.1:${port}/long`, { maxBytes: 100 })).rejects.toThrow('longer than 100');
  await expect(open(`http://127.0.0.1:${port}/never`, { timeoutMs: 50 })).rejects.toThrow();
});

test.each([
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  'localhost',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[fe80::1]',
  '[fd00::1]',
  '10.1.2.3',
  '169.254.169.254',
  '172.31.0.1',
  '192.168.0.1',
  '100.64.0.1',
  '0.0.0.0',
  '[2002:7f00:1::]',
  '255.255.255.255',
])('a request to %s is rejected', async (host) => {
  const before = requests;
  await expect(guarded(`http://${host}:${port}/`)).rejects.toThrow(OutboundRefused);
  expect(requests).toBe(before);
});

test.each(['file:///etc/passwd', 'ftp://example.org/', 'nonsense', ''])('%s is rejected', async (url) => {
  await expect(open(url)).rejects.toThrow(OutboundRefused);
});
