import { expect, test } from '@jest/globals';
import { correlationData } from '../src/trace-carrier.ts';

test("without a trace the correlation data is an empty object, which MaEVe's gateway can read", () => {
  expect(correlationData().toString()).toBe('{}');
});
