import { noteJobStatus } from '../../jobs/job-status.ts';
import type { Message } from '../message.ts';

export const firmwareStatusNotification: Message<'FirmwareStatusNotification'> = {
  async handle(request, context) {
    await noteJobStatus(context, { kind: 'firmware', ...request });
    return {};
  },
};
