import { describe, expect, test } from '@jest/globals';
import { ERROR_CODES, OcppError } from '../src/index.ts';

describe('error codes', () => {
  test("are the ten of 1.6, in 1.6's spelling", () => {
    expect([...ERROR_CODES].sort()).toEqual([
      'FormationViolation',
      'GenericError',
      'InternalError',
      'NotImplemented',
      'NotSupported',
      'OccurenceConstraintViolation',
      'PropertyConstraintViolation',
      'ProtocolError',
      'SecurityError',
      'TypeConstraintViolation',
    ]);
  });

  test('an OcppError has a code, a description, details and a cause', () => {
    const cause = new Error('disk full');
    const error = new OcppError('InternalError', 'not stored', { retry: true }, { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'OcppError', code: 'InternalError', message: 'not stored', cause });
    expect(error.details).toEqual({ retry: true });
    expect(new OcppError('GenericError', '').details).toEqual({});
  });
});
