import type { Message } from '../message.ts';

export const heartbeat: Message<'Heartbeat'> = {
  async handle(_request, { now }) {
    return { currentTime: now().toISOString() };
  },
};
