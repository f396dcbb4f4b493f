import type { Command } from '../../commands/command.ts';
import { checkTrigger } from '../../commands/trigger.rules.ts';

/** What was asked for comes by itself, and is let in even while the station is Pending: see answer.ts. */
export const triggerMessage: Command<'TriggerMessage'> = { check: checkTrigger };
