import type { Message } from '../message.ts';

/** How long a station that is not accepted waits before it boots again (1.6 §4.2). */
const RETRY_SECONDS = 30;

export const bootNotification: Message<'BootNotification'> = {
  beforeAcceptance: true,
  async handle(request, { stationId, receivedAt, now, writer, heartbeatSeconds }) {
    // A station that was deleted while it is connected is nobody we accept.
    const [status = 'Rejected'] = await writer.boots.add([{ stationId, at: receivedAt, request }]);
    const interval = status === 'Accepted' ? heartbeatSeconds : RETRY_SECONDS;
    return { status, currentTime: now().toISOString(), interval };
  },
};
