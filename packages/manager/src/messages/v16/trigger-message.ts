import type { Command } from '../../commands/command.ts';
import { checkTrigger } from '../../commands/trigger.rules.ts';

/** The triggered message is accepted even while the station is Pending: see answer.ts. */
export const triggerMessage: Command<'TriggerMessage'> = { check: checkTrigger };
