import { expect, test } from '@jest/globals';
import {
  describeSettings,
  readSettings,
  requireSetting,
  setting,
  SettingsError,
  SHARED_SETTINGS,
  unknownVariables,
} from '../src/index.ts';

const { logLevel, mqttUrl } = SHARED_SETTINGS;
const wsPort = setting('EVANDER_WS_PORT', 'port', 9310, 'Port for stations');
const apiPort = setting('EVANDER_API_PORT', 'port', 9410, 'Port for the API');
const secret = setting('EVANDER_SECRET', 'secret', undefined, 'Secret of all managers');
const ALL = {
  ...SHARED_SETTINGS,
  wsPort,
  apiPort,
  databaseUrl: setting('EVANDER_DATABASE_URL', 'postgresUrl', undefined, 'Database'),
  managerUrl: setting('EVANDER_MANAGER_URL', 'httpUrls', 'http://127.0.0.1:9410', 'Managers'),
  secret,
  unknownStations: setting('EVANDER_UNKNOWN_STATIONS', ['accept', 'reject'], undefined, 'Unknown stations'),
};

test('has a default for every optional setting', () => {
  const settings = readSettings({}, ALL);
  expect(settings).toMatchObject({
    host: '127.0.0.1',
    wsPort: 9310,
    apiPort: 9410,
  });
  expect(settings).toMatchObject({ mqttPrefix: 'cs', databaseUrl: undefined, secret: undefined });
});

test('reads the environment; an empty variable counts as unset', () => {
  const env = {
    EVANDER_WS_PORT: '1234',
    EVANDER_API_PORT: '',
    EVANDER_LOG_LEVEL: 'debug',
    EVANDER_MQTT_URL: 'mqtt://h:1',
  };
  const settings = readSettings(env, { wsPort, apiPort, logLevel, mqttUrl });
  expect(settings).toEqual({ wsPort: 1234, apiPort: 9410, logLevel: 'debug', mqttUrl: 'mqtt://h:1' });
});

test.each([
  ['EVANDER_WS_PORT', '70000', 'must be a port'],
  ['EVANDER_WS_PORT', '80a', 'must be a port'],
  ['EVANDER_HEARTBEAT_SECONDS', '0', 'at least 1'],
  ['EVANDER_HEARTBEAT_SECONDS', '1.5', 'whole number'],
  ['EVANDER_DATABASE_URL', 'mysql://u:hush@h/d', 'postgres://user'],
  ['EVANDER_MQTT_URL', 'localhost', 'mqtt://host'],
  ['EVANDER_MANAGER_URL', 'http://a,ftp://b', 'http://manager'],
  ['EVANDER_MQTT_PREFIX', 'a/b', 'one topic level'],
  ['EVANDER_UNKNOWN_STATIONS', 'maybe', 'accept, reject'],
  ['EVANDER_SECRET', 'hush', 'at least 32 characters'],
])('explains what is wrong with %s=%s and what is valid', (variable, value, hint) => {
  const read = (): unknown => readSettings({ [variable]: value }, ALL);
  expect(read).toThrow(SettingsError);
  expect(read).toThrow(new RegExp(`^${variable} .*${hint.replaceAll('/', '\\/')}`));
});

test('lists all faults together, and no secret', () => {
  const env = { EVANDER_SECRET: 'hush', EVANDER_DATABASE_URL: 'x://u:hush@h', EVANDER_API_PORT: 'x' };
  let message = '';
  try {
    readSettings(env, ALL);
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message.split('\n').map((line) => line.split(' ')[0])).toEqual([
    'EVANDER_API_PORT',
    'EVANDER_DATABASE_URL',
    'EVANDER_SECRET',
  ]);
  expect(message).not.toContain('hush');
});

test('explains a missing required setting', () => {
  const settings = readSettings({}, { secret });
  expect(() => requireSetting(secret, settings.secret)).toThrow(/^EVANDER_SECRET is not set: /);
});

test('finds misspelt variables', () => {
  expect(unknownVariables({ EVANDER_WSPORT: '1', EVANDER_WS_PORT: '1', PATH: '' }, ALL)).toEqual([
    'EVANDER_WSPORT',
  ]);
});

test('describes every variable with its default', () => {
  const text = describeSettings(ALL);
  for (const { variable, help } of Object.values(ALL)) {
    expect(text).toContain(variable);
    expect(text).toContain(help);
  }
  expect(text).toContain('EVANDER_WS_PORT [9310]');
});
