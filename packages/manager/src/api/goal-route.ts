import { Type } from '@fastify/type-provider-typebox';
import type { Static, TSchema } from '@fastify/type-provider-typebox';
import type { Goal } from '../goals/goal.ts';
import { GOALS } from '../goals/index.ts';
import type { GoalKind } from '../goals/index.ts';
import * as goals from '../store/goals.ts';
import { nullable, oneOf, StationParams, Text, Time } from './fields.ts';
import { Problem } from './problem.ts';
import type { ApiContext, App } from './route.ts';

export const GOAL_KINDS = Object.keys(GOALS) as GoalKind[];

/** A goal as routes answer it. */
export const GoalSchema = Type.Object(
  {
    stationId: Type.String(),
    kind: Type.Unsafe<string>(oneOf(GOAL_KINDS, 'Which goal')),
    wanted: Type.Unsafe<object>(Type.Object({}, { additionalProperties: true })),
    state: oneOf(goals.GOAL_STATES, 'open: worked on whenever the station is there'),
    doing: nullable(Type.String({ description: 'What is being done, or why it failed' })),
    commandId: nullable(Type.String({ description: 'The last command sent for it' })),
    requestedBy: Text,
    requestedAt: Time,
    settledAt: nullable(Time),
  },
  { title: 'Goal', description: 'A desired state of a station, and its progress' },
);

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

/** A goal of a station as a resource: set, shown, given up. */
export function addGoal<Body extends TSchema>(app: App, context: ApiContext, route: GoalRoute<Body>): void {
  addSet(app, context, route);
  addReadAndRemove(app, context, route);
}

function addSet<Body extends TSchema>(app: App, context: ApiContext, route: GoalRoute<Body>): void {
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
  { database }: ApiContext,
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
