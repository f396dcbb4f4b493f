import { Type } from '@fastify/type-provider-typebox';
import { idOf } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';

export const WebhookParams = Type.Object({ webhookId: idOf('webhook') });

/** Throws the Problem for an unknown webhook. */
export function throwUnknown(webhookId: string): never {
  throw new Problem(404, `webhook ${webhookId} is not known; GET /api/v1/webhooks lists those that are`);
}
