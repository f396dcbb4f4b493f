import { readSettings, SettingsError } from '@evander/process';
import { expect, test } from '@jest/globals';
import { PNC_SETTINGS, pncOptions } from '../../src/plug-and-charge/settings.ts';

const read = (env: NodeJS.ProcessEnv) => pncOptions(readSettings(env, PNC_SETTINGS));

test('by default there is no contract pool and no CA file', () => {
  expect(read({})).toEqual({ has2beFailure: 'Failed' });
});

test('a pool is configured with a token or with client credentials', () => {
  const env = { EVANDER_CONTRACT_POOL_URL: 'https://pool.example/v1/ccp/signedContractData' };
  const url = env.EVANDER_CONTRACT_POOL_URL;
  expect(read({ ...env, EVANDER_CONTRACT_POOL_TOKEN: 't' }).contractPool).toEqual({ url, token: 't' });
  const tokenUrl = 'https://auth.example/oauth/token';
  const credentials = {
    ...env,
    EVANDER_CONTRACT_POOL_TOKEN_URL: tokenUrl,
    EVANDER_CONTRACT_POOL_CLIENT_ID: 'id',
    EVANDER_CONTRACT_POOL_CLIENT_SECRET: 'secret',
  };
  expect(read(credentials).contractPool).toEqual({
    url,
    credentials: { tokenUrl, clientId: 'id', clientSecret: 'secret' },
  });
  expect(() => read({ ...credentials, EVANDER_CONTRACT_POOL_CLIENT_SECRET: '' })).toThrow(SettingsError);
  expect(() => read({ EVANDER_CONTRACT_POOL_URL: 'pool' })).toThrow('EVANDER_CONTRACT_POOL_URL');
});
