import * as configuration from '../../store/configuration.ts';
import * as goals from '../../store/goals.ts';
import * as openGoals from '../../store/open-goals.ts';
import * as jobs from '../../store/jobs.ts';
import * as passwordChanges from '../../store/password-changes.ts';
import * as stations from '../../store/stations.ts';
import type { Message } from '../message.ts';

/** How long a station that is not accepted waits before it boots again (1.6 §4.2). */
const RETRY_SECONDS = 30;

export const bootNotification: Message<'BootNotification'> = {
  beforeAcceptance: true,
  async handle(request, { stationId, receivedAt, now, database, heartbeatSeconds }) {
    // A station that was deleted while it is connected is nobody we accept.
    const booted = await database.transaction(async (db) => {
      const bootAnswer = await stations.recordBoot(db, { stationId, at: receivedAt, request });
      await configuration.putInForce(db, stationId, receivedAt);
      await passwordChanges.acceptAtBoot(db, stationId, receivedAt);
      const { firmwareVersion } = request;
      if (firmwareVersion) await jobs.noteBoot(db, { stationId, firmwareVersion, at: receivedAt });
      await goals.onBoot(db, stationId, receivedAt);
      await openGoals.atBoot(db, stationId, receivedAt);
      // A station takes the interval of its boot for its HeartbeatInterval: another one than is desired would have to be changed back.
      return { status: bootAnswer, desiredSeconds: await configuration.heartbeatSeconds(db, stationId) };
    });
    const status = booted.status ?? 'Rejected';
    const interval = status === 'Accepted' ? (booted.desiredSeconds ?? heartbeatSeconds) : RETRY_SECONDS;
    return { status, currentTime: now().toISOString(), interval };
  },
};
