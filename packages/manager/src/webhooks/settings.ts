import { setting } from '@evander/process';

/** The variables of webhooks. */
export const WEBHOOK_SETTINGS = {
  webhookGiveUpHours: setting(
    'EVANDER_WEBHOOK_GIVE_UP_HOURS',
    'count',
    24,
    'Hours after which an event that a webhook does not accept is given up; it can be replayed',
  ),
};
