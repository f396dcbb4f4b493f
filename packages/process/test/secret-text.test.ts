import { expect, test } from '@jest/globals';
import { createLog, hideSecretText } from '../src/index.ts';

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
