import { expect, test } from '@jest/globals';
import { createLog, hideSecretText, Redaction } from '../src/index.ts';

test.each([
  ['[2,"1","Heartbeat",{}', '[2,"1","Heartbeat",{}'],
  [
    '[3,"1",{"configurationKey":[{"key":"AuthorizationKey","value":"secret"',
    '[3,"1",{"configurationKey":[***',
  ],
  [
    '[3,"1",{"configurationKey":[{"value":"secret","key":"authorizationKEY"',
    '[3,"1",{"configurationKey":[***',
  ],
  ['{"key":"\\u0041uthorizationKey","value":"secret"', '***'],
  ['AuthorizationKey=secret', '***'],
  ['{"location":"ftp://u:secret@host/x"', '{"location":"ftp://u:***@host/x"'],
])('%s', (text, shown) => {
  expect(hideSecretText(text)).toBe(shown);
});

test('a log line with such a text has no secret in it', () => {
  const lines: string[] = [];
  const log = createLog('test', 'info', { write: (line) => void lines.push(line) });
  log
    .child({ part: 'x' })
    .info({ text: '{"key":"AuthorizationKey","value":"secret"', password: 'secret' }, 'x');
  expect(lines.join('')).not.toContain('secret');
});

const KEY = '0A1b2C3d4E5f60718293a4b5C6D7E8F901020304';
const change = { key: 'authorizationKEY', value: KEY };

function hidden(action: string, answer: object, request: object, hiddenData: string[] = []): object {
  return new Redaction(hiddenData).answer(action, answer, request);
}

test('what hides nothing stays the very same object', () => {
  const redaction = new Redaction();
  const payload = { vendorId: 'V', data: 'x' };
  expect(redaction.request('DataTransfer', payload)).toBe(payload);
  expect(redaction.answer('DataTransfer', payload, payload)).toBe(payload);
  const status = { status: 'Accepted' };
  expect(redaction.answer('Heartbeat', status, {})).toBe(status);
});

test.each<[string, object, object, object]>([
  ['in another case', { echo: `set ${KEY.toLowerCase()}!` }, change, { echo: 'set ***!' }],
  [
    'deep within',
    { request: [{ key: 'AuthorizationKey', value: 'other' }] },
    change,
    { request: [{ key: 'AuthorizationKey', value: '***' }] },
  ],
  ['as a property', { AuthorizationKey: 'other' }, change, { AuthorizationKey: '***' }],
  [
    'escaped',
    { echo: 'p"a\\s\u00e9!' },
    { key: 'AuthorizationKey', value: 'p"a\\s\u00e9!' },
    { echo: '***' },
  ],
])('an AuthorizationKey that a station echoes %s is hidden', (_how, answer, request, expected) => {
  expect(hidden('ChangeConfiguration', answer, request)).toEqual(expected);
});

test('GetConfiguration answered in another form than the schema has is hidden all the same', () => {
  const answer = { configurationKey: { key: 'AuthorizationKey', value: KEY } };
  expect(hidden('GetConfiguration', answer, {})).toEqual({
    configurationKey: { key: 'AuthorizationKey', value: '***' },
  });
});

test('passwords of URLs are hidden in what comes back', () => {
  const request = { location: 'ftp://user:s%C3%A9cret-1@host/dir' };
  const answer = { fileName: 'ftp://user:s%C3%A9cret-1@host/dir/log.zip', note: 'login sécret-1 failed' };
  expect(JSON.stringify(hidden('GetDiagnostics', answer, request))).not.toMatch(/cret-1/);
  expect(new Redaction().text('GetDiagnostics', 'no s%C3%A9cret-1 here', request)).toBe('no *** here');
});

test.each([
  [['acme'], true],
  [['Acme/PIN'], true],
  [['acme/other', 'acm'], false],
  [['*'], true],
  [[], false],
])('data of DataTransfer when %j is named', (names, isHidden) => {
  const request = { vendorId: 'ACME', messageId: 'pin', data: 'pin 1234567' };
  const redaction = new Redaction(names);
  expect(redaction.request('DataTransfer', request)).toEqual({
    ...request,
    data: isHidden ? '***' : 'pin 1234567',
  });
  const answer = { status: 'Accepted', data: 'new' };
  expect(redaction.answer('DataTransfer', answer, request)).toEqual({
    status: 'Accepted',
    data: isHidden ? '***' : 'new',
  });
  expect(redaction.text('DataTransfer', 'bad: pin 1234567', request)).toBe(
    isHidden ? 'bad: ***' : 'bad: pin 1234567',
  );
});
