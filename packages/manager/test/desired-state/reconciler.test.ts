import { silentLog } from '@evander/process';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { DESIRED_STATES } from '../../src/desired-state/index.ts';
import { Reconciler } from '../../src/desired-state/reconciler.ts';
import type { DesiredStates } from '../../src/desired-state/reconciler.ts';
import * as reconciliations from '../../src/desired-state/reconciliations.store.ts';
import { CSR, ROOT_ONE, ROOT_TWO } from '../certificates/certificates.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
let now: Date;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(async () => {
  now = new Date();
  manager.setNow(undefined);
  await manager.rows('TRUNCATE reconciliations, commands, installed_certificates, configuration_keys');
  await manager.rows('UPDATE stations SET security_profile = 0, pending_security_profile = NULL');
});

function reconciler(kinds: DesiredStates = DESIRED_STATES): Reconciler {
  return new Reconciler({
    database: manager.database,
    callMaker: manager.callMaker,
    desiredStates: kinds,
    now: () => now,
    log: silentLog(),
  });
}

async function set(kind: string, desired: object, permanent = false): Promise<void> {
  await reconciliations.put(manager.database, {
    stationId: 'CP1',
    kind,
    desired,
    permanent,
    requestedBy: 'somebody',
    at: now,
  });
}

async function reconciliation(kind: string) {
  return reconciliations.get(manager.database, 'CP1', kind);
}

/** Answers, each to the command that the previous round has sent. */
async function answered(round: Reconciler, ...answers: object[]): Promise<void> {
  await round.reconcileAll();
  for (const answer of answers) {
    const call = manager.sent().at(-1);
    if (!call) throw new Error('nothing was sent');
    await manager.answer(call, answer);
    await round.check('CP1');
  }
}

test('a certificate that could not be sent in time fails with the cause', async () => {
  await manager.rows('TRUNCATE certificate_requests');
  await manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at) VALUES ('CP1', 'cponame', 'CpoName', 'Evander', now())`,
  );
  await set('stationCertificate', { organisation: 'Evander' });
  await answered(reconciler(), { status: 'Accepted' });
  await manager.ask('SignCertificate', { csr: CSR });
  await manager.rows(
    "UPDATE certificate_requests SET reason = 'the authority is unavailable', look_at = now()",
  );
  now = new Date(now.getTime() + 301_000);
  await reconciler().reconcileAll();
  expect(await reconciliation('stationCertificate')).toMatchObject({
    state: 'failed',
    doing: 'no certificate for the station in time: the authority is unavailable',
  });
});

test('managers that work on the same reconciliation send one command', async () => {
  await set('authorizationKey', {});
  const before = manager.sent().length;
  await Promise.all([reconciler().reconcileAll(), reconciler().reconcileAll(), reconciler().reconcileAll()]);
  expect(manager.sent()).toHaveLength(before + 1);
  expect(await reconciliation('authorizationKey')).toMatchObject({
    state: 'open',
    doing: 'sends a new AuthorizationKey',
  });
  const call = manager.sent().at(-1);
  expect(call?.request).toMatchObject({
    key: 'AuthorizationKey',
    value: expect.stringMatching(/^[\dA-F]{40}$/) as unknown,
  });
  if (call) await manager.answer(call, { status: 'Accepted' });
  await reconciler().check('CP1');
  expect(await reconciliation('authorizationKey')).toMatchObject({ state: 'succeeded', completedAt: now });
  const { rows } = await manager.database.query({
    text: `SELECT request::text FROM commands WHERE action = 'ChangeConfiguration'`,
  });
  expect(JSON.stringify(rows)).not.toContain(String(call?.request.value));
});

test('if a manager dies before it records the command, another takes the step', async () => {
  const dying: DesiredStates = { authorizationKey: DESIRED_STATES.authorizationKey };
  await set('authorizationKey', {});
  const [taken] = await reconciliations.take(manager.database, now);
  if (!taken) throw new Error('not taken');
  // It recorded the command's id, and died.
  await reconciliations.step(manager.database, taken, {
    doing: 'x',
    lookAt: now,
    commandId: '00000000-0000-4000-8000-000000000001',
  });
  const before = manager.sent().length;
  await reconciler(dying).reconcileAll();
  expect(manager.sent()).toHaveLength(before + 1);
});

test('an absent station is waited for, and a cancelled reconciliation is ignored', async () => {
  await manager.rows('UPDATE connections SET disconnected_at = now()');
  await set('authorizationKey', {});
  const before = manager.sent().length;
  await reconciler().reconcileAll();
  expect(manager.sent()).toHaveLength(before);
  expect(await reconciliation('authorizationKey')).toMatchObject({ state: 'open', doing: null });
  await manager.rows('UPDATE connections SET disconnected_at = NULL');
  await reconciliations.remove(manager.database, 'CP1', 'authorizationKey');
  await reconciler().reconcileAll();
  expect(manager.sent()).toHaveLength(before);
});

test('a step that violates a rule, or that the station refuses, fails the reconciliation with the reason', async () => {
  await set('securityProfile', {
    securityProfile: 1,
    reset: false,
    rootCertificate: null,
    organisation: 'O',
  });
  await answered(reconciler(), { status: 'Rejected' });
  expect(await reconciliation('securityProfile')).toMatchObject({
    state: 'failed',
    doing: 'the station answered Rejected to ChangeConfiguration',
  });
  await set('odd', {});
  const odd: DesiredStates = {
    odd: { next: async () => ({ do: 'send', action: 'Reset', request: { type: 'Odd' }, doing: '' }) },
  };
  await reconciler(odd).reconcileAll();
  expect(await reconciliation('odd')).toMatchObject({
    state: 'failed',
    doing: expect.stringContaining('Reset') as unknown,
  });
});

test('after an internal error the reconciliation is checked again', async () => {
  await set('faulty', {});
  let calls = 0;
  const faulty: DesiredStates = {
    faulty: {
      next: async () => {
        if (calls++ === 0) throw new Error('a fault');
        return { do: 'succeeded' };
      },
    },
  };
  await reconciler(faulty).reconcileAll();
  expect(await reconciliation('faulty')).toMatchObject({ state: 'open' });
  now = new Date(now.getTime() + 61_000);
  await reconciler(faulty).reconcileAll();
  expect(await reconciliation('faulty')).toMatchObject({ state: 'succeeded' });
});

test('a kind that this manager does not know is left to another manager', async () => {
  await set('of-a-newer-version', {});
  await reconciler().reconcileAll();
  expect(await reconciliation('of-a-newer-version')).toMatchObject({ state: 'open' });
});

test('root certificates are listed, installed, and surplus ones deleted; again after a boot', async () => {
  const certificateType = 'ManufacturerRootCertificate';
  const hash = (serialNumber: string) => ({
    hashAlgorithm: 'SHA256',
    issuerNameHash: 'ab'.repeat(32),
    issuerKeyHash: 'cd'.repeat(32),
    serialNumber,
  });
  await set('rootCertificates', { certificates: [{ certificateType, certificate: ROOT_ONE }] }, true);
  await answered(
    reconciler(),
    { status: 'Accepted', certificateHashData: [hash('99')] },
    { status: 'Accepted' },
    { status: 'Accepted' },
  );
  const sent = manager.sent().slice(-3);
  expect(sent.map(({ action }) => action)).toEqual([
    'GetInstalledCertificateIds',
    'InstallCertificate',
    'DeleteCertificate',
  ]);
  expect(sent[1]?.request).toEqual({ certificateType, certificate: ROOT_ONE });
  expect(sent[2]?.request).toEqual({ certificateHashData: hash('99') });
  expect(await reconciliation('rootCertificates')).toMatchObject({ state: 'succeeded' });
  await reconciliations.onBoot(manager.database, [{ stationId: 'CP1', at: now }]);
  expect(await reconciliation('rootCertificates')).toMatchObject({ state: 'open' });
  const { serialNumber } = new X509Certificate(ROOT_ONE);
  await answered(reconciler(), { status: 'Accepted', certificateHashData: [hash(serialNumber)] });
  expect(await reconciliation('rootCertificates')).toMatchObject({ state: 'succeeded' });
  // Later than what the station has reported so far.
  now = new Date(Date.now() + 1000);
  await set('rootCertificates', { certificates: [{ certificateType, certificate: ROOT_TWO }] }, true);
  await answered(reconciler(), { status: 'NotFound' }, { status: 'Rejected' });
  expect(await reconciliation('rootCertificates')).toMatchObject({
    state: 'failed',
    doing: expect.stringContaining('the station answered Rejected to InstallCertificate') as unknown,
  });
});
