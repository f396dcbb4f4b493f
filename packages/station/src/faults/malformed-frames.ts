/** An invalid frame and the allowed reactions of a manager (ocppj.md §3, §4). */
export type MalformedFrame = {
  name: string;
  data: string | Buffer;
  /** `error`: a CALLERROR with `id`; `silence`: no answer; `close`: the socket may be closed. */
  expect: 'error' | 'silence' | 'close';
  id?: string;
  /** The allowed error codes; any if absent. */
  codes?: readonly string[];
};

const MISSING = ['OccurenceConstraintViolation', 'ProtocolError', 'FormationViolation'];
const LONG_ID = 'x'.repeat(37);
const OVERSIZED_BYTES = 2 * 1024 * 1024;

function call(id: string, action: unknown, payload: unknown): string {
  return JSON.stringify([2, id, action, payload]);
}

/** One example of each way in which a frame can be invalid. */
export const malformedFrames: readonly MalformedFrame[] = [
  { name: 'notJson', data: 'hello', expect: 'silence' },
  { name: 'halfJson', data: '[2,"bad-1","Heartbeat",{', expect: 'silence' },
  { name: 'binary', data: Buffer.from([0x00, 0xff, 0xfe, 0x01]), expect: 'close' },
  { name: 'whitespace', data: ' \n', expect: 'silence' },
  { name: 'notAnArray', data: '{"type":2}', expect: 'silence' },
  { name: 'emptyArray', data: '[]', expect: 'silence' },
  { name: 'unknownType', data: '[9,"bad-2","Heartbeat",{}]', expect: 'silence' },
  { name: 'noId', data: '[2,null,"Heartbeat",{}]', expect: 'silence' },
  { name: 'answerToNothing', data: '[3,"bad-3",{}]', expect: 'silence' },
  { name: 'errorToNothing', data: '[4,"bad-4","GenericError","",{}]', expect: 'silence' },
  { name: 'noAction', data: '[2,"bad-5"]', expect: 'error', id: 'bad-5', codes: ['FormationViolation'] },
  {
    name: 'actionNotAString',
    data: call('bad-6', 42, {}),
    expect: 'error',
    id: 'bad-6',
    codes: ['FormationViolation'],
  },
  {
    name: 'unknownAction',
    data: call('bad-7', 'MakeCoffee', {}),
    expect: 'error',
    id: 'bad-7',
    codes: ['NotImplemented'],
  },
  {
    name: 'wrongDirection',
    data: call('bad-8', 'Reset', { type: 'Soft' }),
    expect: 'error',
    id: 'bad-8',
    codes: ['NotSupported', 'NotImplemented'],
  },
  {
    name: 'missingField',
    data: call('bad-9', 'Authorize', {}),
    expect: 'error',
    id: 'bad-9',
    codes: MISSING,
  },
  {
    name: 'nullPayload',
    data: call('bad-10', 'Authorize', null),
    expect: 'error',
    id: 'bad-10',
    codes: MISSING,
  },
  {
    name: 'wrongType',
    data: call('bad-11', 'Authorize', { idTag: 1 }),
    expect: 'error',
    id: 'bad-11',
    codes: ['TypeConstraintViolation', 'FormationViolation'],
  },
  {
    name: 'payloadNotAnObject',
    data: call('bad-12', 'Authorize', 'TAG'),
    expect: 'error',
    id: 'bad-12',
    codes: ['FormationViolation', 'TypeConstraintViolation'],
  },
  { name: 'overlongId', data: call(LONG_ID, 'Heartbeat', {}), expect: 'error', id: LONG_ID },
  {
    name: 'oversized',
    data: call('bad-13', 'Heartbeat', { padding: 'x'.repeat(OVERSIZED_BYTES) }),
    expect: 'close',
  },
];
