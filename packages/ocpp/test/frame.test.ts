import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatFrame, parseFrame } from '../src/index.ts';
import type { Call, Frame, MalformedFrame } from '../src/index.ts';

const LONGEST_ID = 'x'.repeat(36);
const TOO_LONG_ID = 'x'.repeat(37);

const GOOD: [string, Frame][] = [
  ['[2,"17","Heartbeat",{}]', { type: 2, id: '17', action: 'Heartbeat', payload: {} }],
  ['[2,"17","Authorize",{"idTag":"A"}]', { type: 2, id: '17', action: 'Authorize', payload: { idTag: 'A' } }],
  ['\uFEFF [2,"17","Heartbeat",{}]\r\n', { type: 2, id: '17', action: 'Heartbeat', payload: {} }],
  [`[2,"${LONGEST_ID}","Heartbeat",{}]`, { type: 2, id: LONGEST_ID, action: 'Heartbeat', payload: {} }],
  ['[2,17,"Heartbeat",{}]', { type: 2, id: 17, action: 'Heartbeat', payload: {} }],
  ['[2,"17","ClearCache",null]', { type: 2, id: '17', action: 'ClearCache', payload: {} }],
  ['[2,"17","Heartbeat"]', { type: 2, id: '17', action: 'Heartbeat', payload: {} }],
  ['[2,"17","toString",{}]', { type: 2, id: '17', action: 'toString', payload: {} }],
  ['[3,"17",{"status":"Accepted"}]', { type: 3, id: '17', payload: { status: 'Accepted' } }],
  ['[3,"17",null]', { type: 3, id: '17', payload: {} }],
  [
    '[4,"17","NotImplemented","no",{"a":1}]',
    { type: 4, id: '17', code: 'NotImplemented', description: 'no', details: { a: 1 } },
  ],
  [
    '[4,"17","FormatViolation"]',
    { type: 4, id: '17', code: 'FormatViolation', description: '', details: {} },
  ],
  ['[4,"17","Odd","why"]', { type: 4, id: '17', code: 'Odd', description: 'why', details: {} }],
  ['[4,"17","Odd",null,null]', { type: 4, id: '17', code: 'Odd', description: '', details: {} }],
  ['[4,"17","Odd","",[1]]', { type: 4, id: '17', code: 'Odd', description: '', details: {} }],
  ['[4,"17","","",""]', { type: 4, id: '17', code: '', description: '', details: {} }],
];

const ANSWERED: [string, string | number][] = [
  ['[2,"17"]', '17'],
  ['[2,"17",5,{}]', '17'],
  ['[2,"17",null,{}]', '17'],
  ['[2,"17","",{}]', '17'],
  ['[2,"17",{"idTag":"A"}]', '17'],
  ['[2,"17","Authorize"]', '17'],
  ['[2,"17","Authorize",[]]', '17'],
  ['[2,"17","Authorize","{}"]', '17'],
  ['[2,"17","Authorize",0]', '17'],
  ['[2,"17","Authorize",{},{}]', '17'],
  ['[2,17,"Authorize",{},{}]', 17],
  ['[2,"","Heartbeat",{}]', ''],
  [`[2,"${TOO_LONG_ID}","Heartbeat",{}]`, TOO_LONG_ID],
  ...['\u0000', '\u0001', '\n', '\u001f', '\u007f', '\u0085'].map((character): [string, string] => [
    JSON.stringify([2, `x${character}`, 'Heartbeat', {}]),
    `x${character}`,
  ]),
  ['[2,"17","Heart\\u0000beat",{}]', '17'],
  ['[2,"17","Heartbeat",{}', '17'],
  ['[2,"17","StopTransaction",{"transactionId":,"meterStop":5}]', '17'],
  ['[2,"17","MeterValues",{"connectorId":1,"meterValue":[,{"sampledValue":[]}]}]', '17'],
  ['[ 2 , "17" , "StatusNotification", {"info":"a\nb"}]', '17'],
  ['[2,"\\u00e9\\"7","Heartbeat",{', 'é"7'],
  ['[2,17,"Heartbeat",{', 17],
  ['[2,"17",', '17'],
];

/** Invalid answers, with the id of the call that they were meant to answer. */
const NO_ANSWER: [string, string | number][] = [
  ['[3,"id",{"a":[]', 'id'],
  ['[3,"id",{"status":"a\nb"}]', 'id'],
  ['[3,"id",{"configurationKey":[,{}]}]', 'id'],
  ['[4,"id","NotSupported","",{]', 'id'],
  ['[3,5,{', 5],
  ['[3,"17"]', '17'],
  ['[3,"17",[]]', '17'],
  ['[3,"17","Accepted"]', '17'],
  ['[3,"17",{},{}]', '17'],
  ['[3,"17\\u0000",{}]', '17\u0000'],
  ['[4,"17"]', '17'],
  ['[4,"17",null,"",{}]', '17'],
  ['[4,"17","GenericError","",{},{}]', '17'],
];

/** Numbers that are answered exactly as written. */
const NUMBERS = ['17', '0', '-5', '12345678901234567890', '9007199254740993', '1.0', '1e3', '-0', '0.10'];

const UNANSWERED = [
  'hello',
  '{',
  '{"type":2}',
  '2',
  'null',
  '"[]"',
  '[]',
  '[2]',
  '[2,null,"Heartbeat",{}]',
  '[2,{},"Heartbeat",{}]',
  '[2,true,"Heartbeat",{}]',
  '[2,1e999,"Heartbeat",{}]',
  '["2","17","Heartbeat",{}]',
  '[1,"17","Heartbeat",{}]',
  '[5,"17",{}]',
  '[5,"17","GenericError","",{}]',
  '[6,"17","NotifyPeriodicEventStream",{}]',
  '[null,"17"]',
  '[2,"17"',
  '[2,"1\n7","Heartbeat",{}]',
  '[2,007,"Heartbeat",{}]',
  '[,2,"17","Heartbeat",{}]',
  '[2,"17\\',
  '[2,"' + 'x'.repeat(100_000),
  '[3,"",{}]',
  `[3,"${TOO_LONG_ID}",{}]`,
];

describe('parseFrame', () => {
  test.each(GOOD)('reads %s', (text, frame) => {
    expect(parseFrame(text)).toEqual(frame);
  });

  test.each(ANSWERED)('has an answer to %s', (text, id) => {
    const frame = parseFrame(text) as MalformedFrame;
    expect(frame.type).toBe('malformed');
    expect(frame.answer).toEqual({
      type: 4,
      id,
      code: 'FormationViolation',
      description: frame.reason,
      details: {},
    });
    expect(frame.reason).not.toBe('');
  });

  test.each(UNANSWERED)('has no answer to %s', (text) => {
    const frame = parseFrame(text) as MalformedFrame;
    expect(frame.type).toBe('malformed');
    expect(frame.answer).toBeUndefined();
    expect(frame.reason).not.toBe('');
  });

  test.each(NO_ANSWER)('identifies the call that %j was meant to answer', (text, id) => {
    const { reason } = parseFrame(text) as MalformedFrame;
    expect(parseFrame(text)).toEqual({ type: 'malformed', reason, answeredId: id });
  });

  test.each(NUMBERS)('answers the id %s byte for byte', (text) => {
    const call = parseFrame(`[ 2, ${text} ,"Heartbeat",{}]`) as Call;
    expect(call.type).toBe(2);
    expect(String(call.id)).toBe(text);
    expect(formatFrame({ type: 3, id: call.id, payload: { a: [1] } })).toBe(`[3,${text},{"a":[1]}]`);
    const refusal = (parseFrame(`[2,${text},"Authorize"]`) as MalformedFrame).answer;
    expect(formatFrame(refusal as Frame)).toMatch(`[4,${text},"FormationViolation",`);
    if (!/[.e]/.test(text))
      expect(formatFrame((parseFrame(`[2,${text},"Authorize",{`) as MalformedFrame).answer as Frame)).toMatch(
        `[4,${text},"FormationViolation","not JSON",{}]`,
      );
  });

  test('a number that is too large for JavaScript becomes one that JSON can represent', () => {
    const { payload } = parseFrame('[2,"1","StopTransaction",{"meterStop":1e400,"a":[-1e400]}]') as Call;
    expect(payload).toEqual({ meterStop: Number.MAX_VALUE, a: [-Number.MAX_VALUE] });
  });

  test.each(['', ' ', '\r\n\t '])('treats %j as a keep-alive', (text) => {
    expect(parseFrame(text)).toEqual({ type: 'blank' });
  });

  test('leaves no key that could become a prototype', () => {
    const text = '[2,"1","DataTransfer",{"__proto__":{"admin":true},"a":[{"\\u005f_proto__":1,"b":2}]}]';
    const frame = parseFrame(text);
    expect(formatFrame(frame as Frame)).toBe('[2,"1","DataTransfer",{"a":[{"b":2}]}]');
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test('rejects nesting too deep to serialise', () => {
    const nested = (levels: number): string => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);
    expect(parseFrame(`[2,"1","DataTransfer",${nested(50)}]`)).toMatchObject({ type: 2 });
    expect(parseFrame(`[2,"1","DataTransfer",${nested(100_000)}]`)).toMatchObject({
      type: 'malformed',
      answer: { id: '1', code: 'FormationViolation' },
    });
    expect(parseFrame(`[3,"1",${nested(100_000)}]`)).toEqual({
      type: 'malformed',
      reason: 'nested too deeply',
      answeredId: '1',
    });
    expect(parseFrame('['.repeat(100_000))).toMatchObject({ type: 'malformed' });
  });

  test('never throws for any text', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseFrame(text)));
  });

  test('never throws on an array that is almost a frame', () => {
    const elements = fc.tuple(fc.constantFrom(2, 3, 4), fc.array(fc.jsonValue(), { maxLength: 5 }));
    fc.assert(fc.property(elements, ([type, rest]) => void parseFrame(JSON.stringify([type, ...rest]))));
  });
});

describe('formatFrame', () => {
  const text = fc.string({ minLength: 1, maxLength: 36 });
  const name = text.filter((characters) => !/\p{Cc}/u.test(characters));
  const id = fc.oneof(name, fc.integer());
  // Parsing drops a prototype key, and -0 is written as 0.
  const payload = fc
    .dictionary(
      fc.string().filter((name) => name !== '__proto__'),
      fc.jsonValue(),
    )
    .map(
      (value) =>
        JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'proto')) as Record<string, unknown>,
    );
  const frame: fc.Arbitrary<Frame> = fc.oneof(
    fc.record({ type: fc.constant(2 as const), id, action: name, payload }),
    fc.record({ type: fc.constant(3 as const), id, payload }),
    fc.record({
      type: fc.constant(4 as const),
      id,
      code: fc.string(),
      description: fc.string({ maxLength: 255 }).filter((text) => text.length <= 255),
      details: payload,
    }),
  );

  test('produces text that parseFrame parses', () => {
    fc.assert(fc.property(frame, (value) => expect(parseFrame(formatFrame(value))).toEqual(value)));
  });

  test('always writes all five elements of a call error', () => {
    const error: Frame = { type: 4, id: '1', code: 'GenericError', description: '', details: {} };
    expect(formatFrame(error)).toBe('[4,"1","GenericError","",{}]');
  });

  test('truncates a description to 255 without splitting a character', () => {
    const description = (text: string): string =>
      (
        JSON.parse(
          formatFrame({ type: 4, id: '1', code: 'GenericError', description: text, details: {} }),
        ) as string[]
      )[3]!;
    expect(description('a'.repeat(300))).toBe('a'.repeat(255));
    expect(description('a'.repeat(254) + '😀')).toBe('a'.repeat(254));
  });
});
