/** OCPP-J 1.6 §4.2.3, in its spelling: one `r` in Occurence and no Format code, unlike 2.0.1. */
export const ERROR_CODES = [
  'NotImplemented',
  'NotSupported',
  'InternalError',
  'ProtocolError',
  'SecurityError',
  'FormationViolation',
  'PropertyConstraintViolation',
  'OccurenceConstraintViolation',
  'TypeConstraintViolation',
  'GenericError',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** A call that ends, or must end, in a CALLERROR. */
export class OcppError extends Error {
  override readonly name = 'OcppError';
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;

  constructor(
    code: ErrorCode,
    description: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(description, options);
    this.code = code;
    this.details = details;
  }
}
