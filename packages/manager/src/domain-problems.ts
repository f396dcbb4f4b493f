import { NotPossible } from './campaigns/control.ts';
import { CommandNotSent, RuleViolation } from './commands/command.ts';
import { NoPublicUrl } from './files/links.ts';
import { Problem } from './http/problem.ts';
import { NotResolvable } from './transactions/unmatched-stop-resolution.ts';

/** Converts a domain error to a Problem; returns any other error unchanged. */
export function problemOfDomain(error: Error): Error {
  if (error instanceof CommandNotSent) return new Problem(COMMAND_NOT_SENT[error.why], error.message);
  if (error instanceof NotPossible) return new Problem(NOT_POSSIBLE[error.why], error.message);
  if (error instanceof NotResolvable) return NOT_RESOLVABLE[error.why](error.message);
  if (error instanceof NoPublicUrl) return new Problem(409, error.message);
  if (error instanceof RuleViolation) return new Problem(422, error.message, { rule: error.rule });
  return error;
}

const NOT_POSSIBLE: Record<NotPossible['why'], number> = { unknown: 404, state: 409, choice: 422 };
const NOT_RESOLVABLE: Record<NotResolvable['why'], (detail: string) => Problem> = {
  unknownStop: (detail) => new Problem(404, detail),
  unknownTransaction: (detail) => new Problem(422, detail, { field: 'transactionId' }),
  state: (detail) => new Problem(409, detail),
};
const COMMAND_NOT_SENT: Record<CommandNotSent['why'], number> = {
  unknownStation: 404,
  notConnected: 409,
  tooMany: 429,
};
