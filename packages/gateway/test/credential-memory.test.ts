import { silentLog } from '@evander/process';
import { expect, test } from '@jest/globals';
import { CredentialMemory } from '../src/credential-memory.ts';
import { ManagerAwayError } from '../src/index.ts';
import type { Credentials, CredentialSource } from '../src/index.ts';
import { credentials } from './harness.ts';

const HOUR_MS = 3_600_000;

/** A memory in front of scripted managers, with a clock that the test moves. */
function openMemory(rememberMs = 24 * HOUR_MS) {
  const managers: { answer: CredentialSource } = { answer: async (stationId) => credentials(stationId) };
  const clock = { nowMs: 0 };
  const memory = new CredentialMemory({
    source: (stationId, certificate) => managers.answer(stationId, certificate),
    rememberMs,
    waitMs: 0,
    nowMs: () => clock.nowMs,
    log: silentLog(),
  });
  return { memory, managers, clock };
}

const away: CredentialSource = async () => Promise.reject(new ManagerAwayError('away'));

test("managers' answers stay valid for the configured time after the managers go away, however old they were", async () => {
  const { memory, managers, clock } = openMemory();
  expect(await memory.credentialsOf('CP1')).toEqual(credentials('CP1'));
  clock.nowMs += 1000 * HOUR_MS;
  managers.answer = away;
  expect(await memory.credentialsOf('CP1')).toEqual(credentials('CP1'));
  clock.nowMs += 24 * HOUR_MS - 1;
  expect(await memory.credentialsOf('CP1')).toEqual(credentials('CP1'));
  clock.nowMs += 1;
  await expect(memory.credentialsOf('CP1')).rejects.toThrow(ManagerAwayError);
});

test('once a manager has answered about any station, the time starts again', async () => {
  const { memory, managers, clock } = openMemory();
  await memory.credentialsOf('CP1');
  const { answer } = managers;
  managers.answer = away;
  await memory.credentialsOf('CP1');
  clock.nowMs += 25 * HOUR_MS;
  managers.answer = answer;
  await memory.credentialsOf('CP2');
  managers.answer = away;
  expect(await memory.credentialsOf('CP1')).toEqual(credentials('CP1'));
});

test('a late answer counts for the next handshake', async () => {
  const { memory, managers } = openMemory();
  await memory.credentialsOf('CP1');
  let answerLate: (answer: Credentials | undefined) => void = () => {};
  managers.answer = () => new Promise((resolve) => (answerLate = resolve));
  expect(await memory.credentialsOf('CP1')).toEqual(credentials('CP1'));
  answerLate(undefined);
  await new Promise((resolve) => setImmediate(resolve));
  managers.answer = away;
  await expect(memory.credentialsOf('CP1')).rejects.toThrow(ManagerAwayError);
});

test("a foreign certificate presented in a station's name does not replace the station's remembered one", async () => {
  const { memory, managers } = openMemory();
  managers.answer = async (stationId, certificate) =>
    credentials(stationId, {
      securityProfile: 3,
      ...(certificate && {
        certificate: { fault: certificate.chain === 'own' ? null : 'not of this station' },
      }),
    });
  const own = { chain: 'own', fingerprint: '1' };
  const foreign = { chain: 'foreign', fingerprint: '2' };
  await memory.credentialsOf('CP1', own);
  await memory.credentialsOf('CP1', foreign);
  await memory.credentialsOf('CP1');
  managers.answer = away;
  expect(await memory.credentialsOf('CP1', own)).toMatchObject({ certificate: { fault: null } });
  expect(await memory.credentialsOf('CP1')).toEqual(credentials('CP1', { securityProfile: 3 }));
  await expect(memory.credentialsOf('CP1', foreign)).rejects.toThrow(ManagerAwayError);
});

test('the memory is bounded: the least recently requested stations are forgotten', async () => {
  const { memory } = openMemory();
  for (let i = 0; i < 60_000; i++) await memory.credentialsOf(`CP${i}`);
  expect(memory.remembered('CP0')).toBeUndefined();
  expect(memory.remembered('CP59999')).toEqual(credentials('CP59999'));
});
