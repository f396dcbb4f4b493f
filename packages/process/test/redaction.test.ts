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
  ['{"location":"ftp://u@v:secret@se@host/x"', '{"location":"ftp://u@v:***@host/x"'],
  ['{"a":"http://host:80/x@y","b":"ftp://u:p@h"', '{"a":"http://host:80/x@y","b":"ftp://u:***@h"'],
  ['{"a":"ftp://u:s\\"cret@h","b":"sftp://u:p@h"', '{"a":"ftp://u:***@h","b":"sftp://u:***@h"'],
  ['{"a":"ftp:\\/\\/u:secret@host\\/x"', '{"a":"ftp://u:***@host/x"'],
  ['{"a":"ftp\\u003a//u:secret@host/x"', '{"a":"ftp://u:***@host/x"'],
  ['a://b://u:secret@host', 'a://b://u:***@host'],
  // Truncated within a password: the text after the colon may be one.
  ['{"location":"ftp://u:secr', '{"location":"ftp://u:***'],
  [`a://${':'.repeat(60_000)}`, 'a://:***'],
  [`${'a'.repeat(1360)}://${':'.repeat(2700)}`, `${'a'.repeat(1360)}://:***`],
])('%s', (text, shown) => {
  expect(hideSecretText(text)).toBe(shown);
});

test('a log line with such a text contains no secret', () => {
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

test('a payload without secrets stays the same object', () => {
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

test('secrets in a GetConfiguration answer that breaks its schema are hidden too', () => {
  const answer = { configurationKey: { key: 'AuthorizationKey', value: KEY } };
  expect(hidden('GetConfiguration', answer, {})).toEqual({
    configurationKey: { key: 'AuthorizationKey', value: '***' },
  });
});

test('passwords of URLs are hidden in answers', () => {
  const request = { location: 'ftp://user:s%C3%A9cret-1@host/dir' };
  const answer = { fileName: 'ftp://user:s%C3%A9cret-1@host/dir/log.zip', note: 'login sécret-1 failed' };
  expect(JSON.stringify(hidden('GetDiagnostics', answer, request))).not.toMatch(/cret-1/);
  expect(new Redaction().text('GetDiagnostics', 'no s%C3%A9cret-1 here', request)).toBe('no *** here');
});

test('the location of an UpdateFirmware from a station is redacted quickly, whatever it contains', () => {
  const location = `a://${':'.repeat(60_000)}`;
  const payload = { location };
  expect(new Redaction().request('UpdateFirmware', payload)).toBe(payload);
  expect(new Redaction().request('UpdateFirmware', { location: `${location}@h` })).toEqual({
    location: 'a://:***@h',
  });
});

test('a secret is hidden in names, in numbers, and where it overlaps JSON syntax', () => {
  const request = { key: 'AuthorizationKey', value: '123456' };
  const answer = { '123456': [1_123_456, 12_345], status: 'n123456', lines: 'a\n123456' };
  expect(hidden('ChangeConfiguration', answer, request)).toEqual({
    '***': ['***', 12_345],
    status: 'n***',
    lines: 'a\n***',
  });
});

test('a secret longer than any regular expression is hidden', () => {
  const password = 'p'.repeat(2_000_000);
  const request = { location: `ftp://u:${password}@host` };
  expect(hidden('UpdateFirmware', { echo: `a${password}b` }, request)).toEqual({ echo: 'a***b' });
});

test('an answer to a request with too many secrets is shown without its content', () => {
  const configurationKey = Array.from({ length: 10_000 }, (_, i) => ({
    key: 'AuthorizationKey',
    value: `secret-${i}`,
  }));
  expect(hidden('GetConfiguration', { echo: 'secret-9999' }, { configurationKey })).toEqual({});
  expect(new Redaction().text('GetConfiguration', 'secret-9999', { configurationKey })).toBe('***');
});

test.each([
  [['acme'], true],
  [['Acme/PIN'], true],
  [['acme/other', 'acm'], false],
  [['*'], true],
  [[], false],
])('data of DataTransfer if %j is configured', (names, isHidden) => {
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
