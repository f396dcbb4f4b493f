import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { gatewayKeys, gatewaySecretOf, sealingKeyOf } from '../src/index.ts';

const SCRIPT = fileURLToPath(new URL('../../../deploy/gateway-secret', import.meta.url));

test.each([
  'a-secret-of-thirty-two-characters',
  'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=',
  'with spaces, % and \\n, $HOME and \'quotes\' "of" both kinds',
  'mit Umlauten: äöüß und 漢字, 32 Zeichen',
  'x'.repeat(63),
  'x'.repeat(64),
  'x'.repeat(65),
  '0123456789'.repeat(20),
])('deploy/gateway-secret derives the same from %s as the managers', (secret) => {
  const env = { ...process.env, EVANDER_SECRET: secret };
  expect(execFileSync('sh', [SCRIPT], { env, encoding: 'utf8' })).toBe(`${gatewaySecretOf(secret)}\n`);
});

test('deploy/gateway-secret requires a secret', () => {
  const env = { ...process.env, EVANDER_SECRET: '' };
  expect(() => execFileSync('sh', [SCRIPT], { env, stdio: 'pipe' })).toThrow('EVANDER_SECRET');
});

test('the keys differ, and passwords are hashed as before gateways had their own secret', () => {
  const secret = 'a-secret-of-thirty-two-characters';
  const keys = gatewayKeys(gatewaySecretOf(secret));
  const all = [secret, sealingKeyOf(secret), keys.gatewayKey, keys.passwordPepper, keys.serverKeySecret];
  expect(new Set(all).size).toBe(all.length);
  const previous = createHmac('sha256', secret).update('evander station-password').digest('base64url');
  expect(keys.passwordPepper).toBe(previous);
});
