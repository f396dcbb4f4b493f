import { Type } from '@fastify/type-provider-typebox';
import type { Static, TSchema } from '@fastify/type-provider-typebox';
import type { KeyRing } from '../api-keys/authentication.ts';
import type { Database } from '../database/database.ts';
import { StationParams } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import type { Goal } from './desired-state.ts';
import { GOALS } from './index.ts';
import type { GoalKind } from './index.ts';
import { GoalSchema } from './reconciliations.schemas.ts';
import * as goals from './reconciliations.store.ts';

const tags = ['goals'];

export interface GoalRoute<Body extends TSchema> {
  kind: GoalKind;
  method: 'POST' | 'PUT';
  /** Under /stations/:stationId. */
  path: string;
  summary: string;
  body: Body;
  /** What is kept of a body. Throws Problem. */
  wanted(body: Static<Body>): object | Promise<object>;
}

interface GoalContext {
  database: Database;
  keys: KeyRing;
  now(): Date;
}

/** A goal of a station as a resource: set, shown, given up. */
export function addGoal<Body extends TSchema>(app: App, context: GoalContext, route: GoalRoute<Body>): void {
  addSet(app, context, route);
  addReadAndRemove(app, context, route);
}

function addSet<Body extends TSchema>(app: App, context: GoalContext, route: GoalRoute<Body>): void {
  const { kind, method, path, summary, body, wanted } = route;
  const { database, keys, now } = context;
  app.route({
    method,
    url: `/stations/:stationId${path}`,
    config: { role: 'operator' },
    schema: {
      operationId: `set${capital(kind)}Goal`,
      summary,
      description: 'Responds at once; GET shows the progress. A new one replaces the previous one.',
      tags,
      params: StationParams,
      body: body,
      response: { 202: GoalSchema },
    },
    handler: async (request, reply) => {
      const { stationId } = request.params;
      const goal = await goals.put(database, {
        stationId,
        kind,
        wanted: await wanted(request.body as Static<Body>),
        lasting: (GOALS[kind] as Goal<never>).lasting ?? false,
        requestedBy: (await keys.nameOf(request)) ?? null,
        at: now(),
      });
      return reply.code(202).send(goal);
    },
  });
}

function addReadAndRemove(
  app: App,
  { database }: GoalContext,
  { kind, path: under }: { kind: GoalKind; path: string },
): void {
  const path = `/stations/:stationId${under}` as const;
  const missing = (stationId: string): Problem =>
    new Problem(404, `station ${stationId} has no goal ${kind}`);
  app.get(
    path,
    {
      config: { role: 'viewer' },
      schema: {
        operationId: `get${capital(kind)}Goal`,
        summary: 'The progress',
        tags,
        params: StationParams,
        response: { 200: GoalSchema },
      },
    },
    async ({ params: { stationId } }) => {
      const goal = await goals.get(database, stationId, kind);
      if (!goal) throw missing(stationId);
      return goal;
    },
  );
  app.delete(
    path,
    {
      config: { role: 'operator' },
      schema: {
        operationId: `remove${capital(kind)}Goal`,
        summary: 'Cancel it; what has been done stays',
        tags,
        params: StationParams,
        response: { 204: Type.Null({ description: 'Cancelled' }) },
      },
    },
    async ({ params: { stationId } }, reply) => {
      if (!(await goals.remove(database, stationId, kind))) throw missing(stationId);
      return reply.code(204).send(null);
    },
  );
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
