import { setting } from '@evander/process';

/** The variables of event streams. */
export const EVENT_SETTINGS = {
  eventStreams: setting(
    'EVANDER_EVENT_STREAMS',
    'count',
    500,
    'Event streams (GET /api/v1/events) that one manager serves at a time',
  ),
};
