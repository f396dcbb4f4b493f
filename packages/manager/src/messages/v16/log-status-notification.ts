import { noteJobStatus } from '../../jobs/job-status.ts';
import type { Message } from '../message.ts';

export const logStatusNotification: Message<'LogStatusNotification'> = {
  async handle(request, context) {
    await noteJobStatus(context, { kind: 'log', ...request });
    return {};
  },
};
