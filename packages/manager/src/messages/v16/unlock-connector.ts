import { RuleViolation } from '../../commands/command.ts';
import type { Command } from '../../commands/command.ts';

/** StopTransaction and StatusNotification report the effect. */
export const unlockConnector: Command<'UnlockConnector'> = {
  check({ connectorId }) {
    if (connectorId < 1) throw new RuleViolation('Unlock.1', 'connectorId must be 1 or higher');
  },
};
