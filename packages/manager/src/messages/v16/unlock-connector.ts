import { RuleViolation } from '../../commands/command.ts';
import type { Command } from '../../commands/command.ts';

/** What comes of it is told by StopTransaction and StatusNotification. */
export const unlockConnector: Command<'UnlockConnector'> = {
  check({ connectorId }) {
    if (connectorId < 1) throw new RuleViolation('Unlock.1', 'connectorId must be a connector: 1 or higher');
  },
};
