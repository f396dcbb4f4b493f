import type { Message } from '../message.ts';

/** How long a station that is not accepted waits before it boots again (1.6 §4.2). */
const RETRY_SECONDS = 30;

export const bootNotification: Message<'BootNotification'> = {
  beforeAcceptance: true,
  async handle(request, { stationId, receivedAt, now, writer, heartbeatSeconds }) {
    // A station that was deleted while connected is rejected.
    const [boot] = await writer.boots.add([{ stationId, at: receivedAt, request }]);
    const status = boot?.status ?? 'Rejected';
    // A station sets its HeartbeatInterval to this interval, so it should be the desired value.
    const interval = status === 'Accepted' ? (boot?.desiredSeconds ?? heartbeatSeconds) : RETRY_SECONDS;
    return { status, currentTime: now().toISOString(), interval };
  },
};
