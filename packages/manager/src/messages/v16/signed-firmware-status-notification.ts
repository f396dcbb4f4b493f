import { noteJobStatus } from '../../jobs/job-status.ts';
import type { Message } from '../message.ts';

export const signedFirmwareStatusNotification: Message<'SignedFirmwareStatusNotification'> = {
  async handle(request, context) {
    await noteJobStatus(context, { kind: 'signedFirmware', ...request });
    return {};
  },
};
