import type { Command } from '../../commands/command.ts';
import { requireAcceptance } from '../../commands/common-rules.ts';

/** The transaction ends with its StopTransaction, whatever the answer (RemoteStop.1). */
export const remoteStopTransaction: Command<'RemoteStopTransaction'> = {
  repeatable: true,
  check(_request, context) {
    requireAcceptance('RemoteStop.2', context);
  },
};
