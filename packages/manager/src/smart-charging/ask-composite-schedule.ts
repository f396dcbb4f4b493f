import type { GetCompositeScheduleRequest } from '@evander/ocpp';
import { Type } from '@fastify/type-provider-typebox';
import type { Static } from '@fastify/type-provider-typebox';
import type { CallMaker } from '../commands/call-maker.ts';
import type { CommandRow } from '../commands/command-list.store.ts';
import { CommandNotSent, RuleViolation } from '../commands/command.ts';
import { nullable, oneOf, Text } from '../http/fields.ts';

const WAIT_MS = 15_000;

/** The outcome of asking the station; null when it was not asked. */
export const Ask = nullable(
  Type.Object(
    {
      outcome: oneOf(
        ['answered', 'notConnected', 'notSent', 'notAllowed', 'failed', 'pending'] as const,
        'notSent: a rule forbids it. notAllowed: the API key has only the role viewer. failed: with a CALLERROR, or without an answer. pending: the answer may still arrive',
      ),
      commandId: Text,
      detail: nullable(Type.String({ description: 'Why there is no answer' })),
    },
    { description: 'The GetCompositeSchedule sent for this request; null when the station was not asked' },
  ),
);

/** Asks a station for a composite schedule and waits up to 15 s for the answer. Obstacles are returned as the outcome. */
export async function askForSchedule(
  callMaker: CallMaker,
  ask: { stationId: string; request: GetCompositeScheduleRequest; requestedBy: string | null },
): Promise<Static<typeof Ask>> {
  let command: CommandRow;
  try {
    command = await callMaker.send({ ...ask, action: 'GetCompositeSchedule' }, WAIT_MS);
  } catch (error) {
    if (error instanceof RuleViolation)
      return { outcome: 'notSent', commandId: null, detail: `${error.rule}: ${error.message}` };
    if (!(error instanceof CommandNotSent) || error.why === 'unknownStation') throw error;
    const outcome = error.why === 'notConnected' ? 'notConnected' : 'notSent';
    return { outcome, commandId: null, detail: error.message };
  }
  const { commandId } = command;
  switch (command.status) {
    case 'answered':
      return { outcome: 'answered', commandId, detail: null };
    case 'failed':
      return { outcome: 'failed', commandId, detail: command.error?.description ?? null };
    case 'timedOut':
    case 'expired':
      return { outcome: 'failed', commandId, detail: 'the station did not answer in time' };
    default:
      return { outcome: 'pending', commandId, detail: 'the station has not answered yet' };
  }
}
