import { expect, test } from '@jest/globals';
import { refuse } from './manager.ts';
import { openTunnel } from './tunnel.ts';

const EMAID = 'DE8AACA2B3C4D5N';
const HASH = {
  hashAlgorithm: 'SHA256',
  issuerNameHash: 'ab',
  issuerKeyHash: 'cd',
  serialNumber: '1f',
  responderURL: 'http://ocsp.example',
} as const;
test('a car charges with its contract', async () => {
  const { manager, station, answers } = await openTunnel('oca');
  answers.Authorize = { idTokenInfo: { status: 'Accepted' }, certificateStatus: 'Accepted' };
  const connector = station.connector(1);
  const { session, answer } = await connector.plugAndCharge(EMAID, { iso15118CertificateHashData: [HASH] });
  expect(answer).toEqual(answers.Authorize);
  await session?.answered;
  expect(manager.requests('StartTransaction')).toMatchObject([{ idTag: EMAID, connectorId: 1 }]);
  expect(manager.requests('Authorize')).toEqual([]);
  connector.stop();
  await session?.delivered;
});

test.each([
  [{ idTokenInfo: { status: 'Blocked' }, certificateStatus: 'ContractCancelled' }, 'Blocked'],
  [{ idTokenInfo: { status: 'Accepted' }, certificateStatus: 'CertificateRevoked' }, 'Invalid'],
  ['UnknownVendorId', 'Invalid'],
  [{}, 'Invalid'],
])('an invalid contract starts nothing: %j', async (answer, idTagStatus) => {
  const { manager, station, answers } = await openTunnel('oca');
  answers.Authorize = answer;
  const record = await station.connector(1).plugAndCharge(EMAID);
  expect(record).toEqual({ idTagStatus, answer });
  expect(manager.requests('StartTransaction')).toEqual([]);
});

test('a failing manager counts as absent', async () => {
  const { manager, station } = await openTunnel('oca');
  manager.answers.DataTransfer = () => {
    throw refuse('InternalError');
  };
  const { idTagStatus, session } = await station.connector(1).plugAndCharge(EMAID);
  expect(idTagStatus).toBe('Accepted');
  expect(session).toBeDefined();
  await expect(station.connector(1).plugAndCharge('DE-8AA-CA2B3C4D5-N-123')).rejects.toThrow('20 characters');
});

test('offline a contract is accepted from memory, if that is allowed', async () => {
  const { station, answers } = await openTunnel('oca');
  answers.Authorize = { idTokenInfo: { status: 'Accepted' } };
  const connector = station.connector(1);
  await connector.plugAndCharge(EMAID);
  connector.stop();
  await connector.unplug();
  await station.disconnect();
  const { session } = await connector.plugAndCharge(EMAID);
  expect(session).toBeDefined();
  connector.stop();
  await connector.unplug();
  station.configuration.set('ContractValidationOffline', 'false');
  await expect(connector.plugAndCharge(EMAID)).resolves.toEqual({ idTagStatus: 'Invalid' });
});
