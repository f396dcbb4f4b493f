import type { CallMaker, CommandRequest } from './call-maker.ts';
import type { CommandRow } from './command-list.store.ts';
import { DEFAULT_WAIT_SECONDS } from './commands.schemas.ts';
import type { CommandQuery } from './commands.schemas.ts';

type Sending = Omit<CommandRequest, 'ttlSeconds' | 'skipRules'>;

/** Sends a command, waits up to `waitSeconds` for its outcome, and resolves with the command. */
export async function sendCommand(
  callMaker: CallMaker,
  sent: Sending,
  { waitSeconds = DEFAULT_WAIT_SECONDS, ttlSeconds, skipRules }: CommandQuery,
): Promise<CommandRow> {
  const call = {
    ...sent,
    ...(ttlSeconds !== undefined && { ttlSeconds }),
    ...(skipRules !== undefined && { skipRules }),
  };
  return callMaker.send(call, waitSeconds * 1000);
}
