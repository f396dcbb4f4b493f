import { noteJobStatus } from '../../jobs/job-status.ts';
import type { Message } from '../message.ts';

export const diagnosticsStatusNotification: Message<'DiagnosticsStatusNotification'> = {
  async handle(request, context) {
    await noteJobStatus(context, { kind: 'diagnostics', ...request });
    return {};
  },
};
