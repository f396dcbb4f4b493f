import { silentLog } from '@evander/process';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { GOALS } from '../../src/desired-state/index.ts';
import { Pursuit } from '../../src/desired-state/reconciler.ts';
import type { Goals } from '../../src/desired-state/reconciler.ts';
import * as goals from '../../src/desired-state/reconciliations.store.ts';
import { CSR, ROOT_ONE, ROOT_TWO } from '../certificates/certificates.ts';
import { openDesk } from '../desk.ts';
import type { Desk } from '../desk.ts';

let desk: Desk;
let now: Date;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());
beforeEach(async () => {
  now = new Date();
  desk.setNow(undefined);
  await desk.rows('TRUNCATE goals, commands, installed_certificates, configuration_keys');
  await desk.rows('UPDATE stations SET security_profile = 0, pending_security_profile = NULL');
});

function pursuit(kinds: Goals = GOALS): Pursuit {
  return new Pursuit({
    database: desk.database,
    callMaker: desk.callMaker,
    goals: kinds,
    now: () => now,
    log: silentLog(),
  });
}

async function set(kind: string, wanted: object, lasting = false): Promise<void> {
  await goals.put(desk.database, {
    stationId: 'CP1',
    kind,
    wanted,
    lasting,
    requestedBy: 'somebody',
    at: now,
  });
}

async function goal(kind: string) {
  return goals.get(desk.database, 'CP1', kind);
}

/** The station's answers, each to the command that the round before has sent. */
async function answered(round: Pursuit, ...answers: object[]): Promise<void> {
  await round.sweep();
  for (const answer of answers) {
    const call = desk.sent().at(-1);
    if (!call) throw new Error('nothing was sent');
    await desk.answer(call, answer);
    await round.look('CP1');
  }
}

test('a certificate that could not be sent in time fails with what has kept it', async () => {
  await desk.rows('TRUNCATE certificate_requests');
  await desk.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at) VALUES ('CP1', 'cponame', 'CpoName', 'Evander', now())`,
  );
  await set('stationCertificate', { organisation: 'Evander' });
  await answered(pursuit(), { status: 'Accepted' });
  await desk.ask('SignCertificate', { csr: CSR });
  await desk.rows("UPDATE certificate_requests SET reason = 'the authority is away', look_at = now()");
  now = new Date(now.getTime() + 301_000);
  await pursuit().sweep();
  expect(await goal('stationCertificate')).toMatchObject({
    state: 'failed',
    doing: 'no certificate for the station in time: the authority is away',
  });
});

test('managers that pursue the same goal send one command', async () => {
  await set('authorizationKey', {});
  const before = desk.sent().length;
  await Promise.all([pursuit().sweep(), pursuit().sweep(), pursuit().sweep()]);
  expect(desk.sent()).toHaveLength(before + 1);
  expect(await goal('authorizationKey')).toMatchObject({
    state: 'open',
    doing: 'sends a new AuthorizationKey',
  });
  const call = desk.sent().at(-1);
  expect(call?.request).toMatchObject({
    key: 'AuthorizationKey',
    value: expect.stringMatching(/^[\dA-F]{40}$/) as unknown,
  });
  if (call) await desk.answer(call, { status: 'Accepted' });
  await pursuit().look('CP1');
  expect(await goal('authorizationKey')).toMatchObject({ state: 'reached', settledAt: now });
  const { rows } = await desk.database.query({
    text: `SELECT request::text FROM commands WHERE action = 'ChangeConfiguration'`,
  });
  expect(JSON.stringify(rows)).not.toContain(String(call?.request.value));
});

test('a manager that dies before its command is there leaves the step to another', async () => {
  const dying: Goals = { authorizationKey: GOALS.authorizationKey };
  await set('authorizationKey', {});
  const [taken] = await goals.take(desk.database, now);
  if (!taken) throw new Error('not taken');
  // It has named its command, and died.
  await goals.step(desk.database, taken, {
    doing: 'x',
    lookAt: now,
    commandId: '00000000-0000-4000-8000-000000000001',
  });
  const before = desk.sent().length;
  await pursuit(dying).sweep();
  expect(desk.sent()).toHaveLength(before + 1);
});

test('a station that is away is waited for, and a goal that was given up is left alone', async () => {
  await desk.rows('UPDATE connections SET disconnected_at = now()');
  await set('authorizationKey', {});
  const before = desk.sent().length;
  await pursuit().sweep();
  expect(desk.sent()).toHaveLength(before);
  expect(await goal('authorizationKey')).toMatchObject({ state: 'open', doing: null });
  await desk.rows('UPDATE connections SET disconnected_at = NULL');
  await goals.remove(desk.database, 'CP1', 'authorizationKey');
  await pursuit().sweep();
  expect(desk.sent()).toHaveLength(before);
});

test('a step that breaks a rule, or that the station refuses, ends the goal with the reason', async () => {
  await set('securityProfile', {
    securityProfile: 1,
    reset: false,
    rootCertificate: null,
    organisation: 'O',
  });
  await answered(pursuit(), { status: 'Rejected' });
  expect(await goal('securityProfile')).toMatchObject({
    state: 'failed',
    doing: 'the station answered Rejected to ChangeConfiguration',
  });
  await set('odd', {});
  const odd: Goals = {
    odd: { next: async () => ({ do: 'send', action: 'Reset', request: { type: 'Odd' }, doing: '' }) },
  };
  await pursuit(odd).sweep();
  expect(await goal('odd')).toMatchObject({
    state: 'failed',
    doing: expect.stringContaining('Reset') as unknown,
  });
});

test('a fault of ours is no end: the goal is looked at again', async () => {
  await set('faulty', {});
  let calls = 0;
  const faulty: Goals = {
    faulty: {
      next: async () => {
        if (calls++ === 0) throw new Error('a fault');
        return { do: 'reached' };
      },
    },
  };
  await pursuit(faulty).sweep();
  expect(await goal('faulty')).toMatchObject({ state: 'open' });
  now = new Date(now.getTime() + 61_000);
  await pursuit(faulty).sweep();
  expect(await goal('faulty')).toMatchObject({ state: 'reached' });
});

test('a kind that this manager does not know is left to one that does', async () => {
  await set('of-a-newer-version', {});
  await pursuit().sweep();
  expect(await goal('of-a-newer-version')).toMatchObject({ state: 'open' });
});

test('root certificates are brought about: listed, installed, the surplus deleted; again after a boot', async () => {
  const certificateType = 'ManufacturerRootCertificate';
  const hash = (serialNumber: string) => ({
    hashAlgorithm: 'SHA256',
    issuerNameHash: 'ab'.repeat(32),
    issuerKeyHash: 'cd'.repeat(32),
    serialNumber,
  });
  await set('rootCertificates', { certificates: [{ certificateType, certificate: ROOT_ONE }] }, true);
  await answered(
    pursuit(),
    { status: 'Accepted', certificateHashData: [hash('99')] },
    { status: 'Accepted' },
    { status: 'Accepted' },
  );
  const sent = desk.sent().slice(-3);
  expect(sent.map(({ action }) => action)).toEqual([
    'GetInstalledCertificateIds',
    'InstallCertificate',
    'DeleteCertificate',
  ]);
  expect(sent[1]?.request).toEqual({ certificateType, certificate: ROOT_ONE });
  expect(sent[2]?.request).toEqual({ certificateHashData: hash('99') });
  expect(await goal('rootCertificates')).toMatchObject({ state: 'reached' });
  await goals.onBoot(desk.database, [{ stationId: 'CP1', at: now }]);
  expect(await goal('rootCertificates')).toMatchObject({ state: 'open' });
  const { serialNumber } = new X509Certificate(ROOT_ONE);
  await answered(pursuit(), { status: 'Accepted', certificateHashData: [hash(serialNumber)] });
  expect(await goal('rootCertificates')).toMatchObject({ state: 'reached' });
  // Later than what the station has told so far.
  now = new Date(Date.now() + 1000);
  await set('rootCertificates', { certificates: [{ certificateType, certificate: ROOT_TWO }] }, true);
  await answered(pursuit(), { status: 'NotFound' }, { status: 'Rejected' });
  expect(await goal('rootCertificates')).toMatchObject({
    state: 'failed',
    doing: expect.stringContaining('the station answered Rejected to InstallCertificate') as unknown,
  });
});
