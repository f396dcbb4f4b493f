import { Type } from '@fastify/type-provider-typebox';
import type { Static, TSchema } from '@fastify/type-provider-typebox';
import type { KeyRing } from '../api-keys/authentication.ts';
import type { Database } from '../database/database.ts';
import { StationParams } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import type { DesiredState } from './desired-state.ts';
import { DESIRED_STATES } from './index.ts';
import type { ReconciliationKind } from './index.ts';
import { ReconciliationSchema } from './reconciliations.schemas.ts';
import * as reconciliations from './reconciliations.store.ts';

const tags = ['reconciliations'];

export interface ReconciliationRoute<Body extends TSchema> {
  kind: ReconciliationKind;
  method: 'POST' | 'PUT';
  /** Under /stations/:stationId. */
  path: string;
  summary: string;
  body: Body;
  /** The desired state to store for a body. Throws Problem. */
  desired(body: Static<Body>): object | Promise<object>;
}

interface ReconciliationContext {
  database: Database;
  keys: KeyRing;
  now(): Date;
}

/** Adds the routes to set, read and cancel a kind of reconciliation. */
export function addReconciliation<Body extends TSchema>(
  app: App,
  context: ReconciliationContext,
  route: ReconciliationRoute<Body>,
): void {
  addSet(app, context, route);
  addReadAndRemove(app, context, route);
}

function addSet<Body extends TSchema>(
  app: App,
  context: ReconciliationContext,
  route: ReconciliationRoute<Body>,
): void {
  const { kind, method, path, summary, body, desired } = route;
  const { database, keys, now } = context;
  app.route({
    method,
    url: `/stations/:stationId${path}`,
    config: { role: 'operator' },
    schema: {
      operationId: `set${capitalized(kind)}Reconciliation`,
      summary,
      description: 'Responds immediately; GET shows the progress. A new one replaces the previous one.',
      tags,
      params: StationParams,
      body: body,
      response: { 202: ReconciliationSchema },
    },
    handler: async (request, reply) => {
      const { stationId } = request.params;
      const reconciliation = await reconciliations.put(database, {
        stationId,
        kind,
        desired: await desired(request.body as Static<Body>),
        permanent: (DESIRED_STATES[kind] as DesiredState<never>).permanent ?? false,
        requestedBy: await keys.nameOf(request),
        at: now(),
      });
      return reply.code(202).send(reconciliation);
    },
  });
}

function addReadAndRemove(
  app: App,
  { database }: ReconciliationContext,
  { kind, path: under }: { kind: ReconciliationKind; path: string },
): void {
  const path = `/stations/:stationId${under}` as const;
  const missing = (stationId: string): Problem =>
    new Problem(404, `station ${stationId} has no reconciliation ${kind}`);
  app.get(
    path,
    {
      config: { role: 'viewer' },
      schema: {
        operationId: `get${capitalized(kind)}Reconciliation`,
        summary: 'The progress',
        tags,
        params: StationParams,
        response: { 200: ReconciliationSchema },
      },
    },
    async ({ params: { stationId } }) => {
      const reconciliation = await reconciliations.get(database, stationId, kind);
      if (!reconciliation) throw missing(stationId);
      return reconciliation;
    },
  );
  app.delete(
    path,
    {
      config: { role: 'operator' },
      schema: {
        operationId: `remove${capitalized(kind)}Reconciliation`,
        summary: 'Cancel it; completed steps are not undone',
        tags,
        params: StationParams,
        response: { 204: Type.Null({ description: 'Cancelled' }) },
      },
    },
    async ({ params: { stationId } }, reply) => {
      if (!(await reconciliations.remove(database, stationId, kind))) throw missing(stationId);
      return reply.code(204).send(null);
    },
  );
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
