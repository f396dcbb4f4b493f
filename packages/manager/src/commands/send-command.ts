import type { CallMaker, CommandRequest } from './call-maker.ts';
import type { CommandRow } from './command-list.store.ts';
import { DEFAULT_WAIT_SECONDS } from './commands.schemas.ts';
import type { CommandQuery } from './commands.schemas.ts';

interface Sending extends Pick<
  CommandRequest,
  'stationId' | 'action' | 'request' | 'alongside' | 'commandId'
> {
  requestedBy: string | undefined;
}

/** Sends a command, waits up to `waitSeconds` for its outcome, and resolves with the command. */
export async function sendCommand(
  callMaker: CallMaker,
  { requestedBy, ...sent }: Sending,
  { waitSeconds = DEFAULT_WAIT_SECONDS, ttlSeconds, skipRules }: CommandQuery,
): Promise<CommandRow> {
  const call = {
    ...sent,
    ...(ttlSeconds !== undefined && { ttlSeconds }),
    ...(skipRules !== undefined && { skipRules }),
    ...(requestedBy !== undefined && { requestedBy }),
  };
  return callMaker.send(call, waitSeconds * 1000);
}
