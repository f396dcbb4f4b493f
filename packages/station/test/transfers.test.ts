import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { Ca } from './ca.ts';
import { bootPair, closeLater } from './setup.ts';

const SOON = { retrieveDate: '2026-01-01T00:00:00Z' };

test('files are really transferred if configured', async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
    request.resume().on('end', () => response.writeHead(request.url === '/gone' ? 404 : 200).end('file'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeLater({ close: async () => void server.close() });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { manager } = await bootPair({ transfers: 'real' });
  const { fileName } = await manager.command('GetDiagnostics', { location: `${url}/in` });
  await manager.until(() => manager.requests('DiagnosticsStatusNotification').length === 2);
  await manager.command('UpdateFirmware', { location: `${url}/gone`, ...SOON });
  await manager.until(
    () => manager.requests('FirmwareStatusNotification').at(-1)?.status === 'DownloadFailed',
  );
  expect(seen).toEqual([`PUT /in/${fileName ?? ''}`, 'GET /gone']);
});

test('a real signature is verified, and a bad signing certificate is rejected', async () => {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ca = new Ca('Maker', undefined, key);
  const file = Buffer.from('the new firmware');
  const server = createServer((_request, response) => response.end(file)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeLater({ close: async () => void server.close() });
  const location = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fw`;
  const { manager } = await bootPair({ transfers: 'real' });
  const update = (signature: string, signingCertificate = ca.pem) =>
    manager.command('SignedUpdateFirmware', {
      requestId: 5,
      firmware: { location, retrieveDateTime: SOON.retrieveDate, signingCertificate, signature },
    });
  await expect(update('x', 'none')).resolves.toEqual({ status: 'InvalidCertificate' });
  const last = () => manager.requests('SignedFirmwareStatusNotification').at(-1)?.status;
  await update(sign('sha256', Buffer.from('another'), key.privateKey).toString('base64'));
  await manager.until(() => last() === 'InvalidSignature');
  await update(sign('sha256', file, key.privateKey).toString('base64'));
  await manager.until(() => last() === 'Installed');
});
