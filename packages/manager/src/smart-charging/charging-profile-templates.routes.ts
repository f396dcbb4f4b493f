import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { readTime } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import { profileOf } from './charging-profile-template.ts';
import type { TemplateDefinition } from './charging-profile-template.ts';
import {
  BASE,
  Change,
  New,
  Purpose,
  Template,
  TemplateParams,
  unknownTemplate,
} from './charging-profile-templates.schemas.ts';
import * as templates from './charging-profile-templates.store.ts';
import type { TemplateRow } from './charging-profile-templates.store.ts';
import { checkProfile } from './charging-profile.rules.ts';

const PAGER = new Pager(['text'], ({ name }: TemplateRow) => [name]);
const tags = ['smart charging'];
const problems = [409, 422];

/** Charging profile templates, which can be applied to many stations. */
export function chargingProfileTemplateRoutes(app: App, context: ApiContext): void {
  const { database } = context;
  app.get(
    BASE,
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listChargingProfileTemplates',
        summary: 'Charging profile templates, by name',
        tags,
        querystring: listQuery({
          purpose: Type.Optional({ ...Purpose, description: 'Only templates for this purpose' }),
        }),
        response: { 200: pageOf(Template) },
      },
    },
    async ({ query }) => {
      const page = await PAGER.page(query, ({ after, rows }) =>
        templates.list(database, { ...query, after: after?.[0] ?? null, rows }),
      );
      return { ...page, items: page.items.map(shown) };
    },
  );
  app.get(
    `${BASE}/:templateId`,
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getChargingProfileTemplate',
        summary: 'A charging profile template',
        tags,
        params: TemplateParams,
        response: { 200: Template },
      },
    },
    async ({ params: { templateId } }) => {
      const template = await templates.get(database, templateId);
      if (!template) throw unknownTemplate(templateId);
      return shown(template);
    },
  );
  addWrites(app, context);
}

function addWrites(app: App, { database }: ApiContext): void {
  app.post(
    BASE,
    {
      config: { role: 'operator', problems },
      schema: {
        operationId: 'addChargingProfileTemplate',
        summary: 'Add a charging profile template',
        tags,
        body: New,
        response: { 201: Template },
      },
    },
    async ({ body: { name, ...definition } }, reply) => {
      check(definition);
      const template = await templates.add(database, { name, definition }).catch(refuseTaken(name));
      return reply.code(201).send(shown(template));
    },
  );
  app.put(
    `${BASE}/:templateId`,
    {
      config: { role: 'operator', problems },
      schema: {
        operationId: 'putChargingProfileTemplate',
        summary: 'Change a charging profile template; profiles already on stations stay as they are',
        tags,
        params: TemplateParams,
        body: Change,
        response: { 200: Template },
      },
    },
    ({ params: { templateId }, body }) =>
      database.transaction(async (db) => {
        const known = await templates.lock(db, templateId);
        if (!known) throw unknownTemplate(templateId);
        const { name = known.name, ...change } = body;
        const definition = merge(known.definition, change);
        check(definition);
        return shown(await templates.change(db, templateId, { name, definition }).catch(refuseTaken(name)));
      }),
  );
  app.delete(
    `${BASE}/:templateId`,
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'removeChargingProfileTemplate',
        summary: 'Remove a charging profile template; profiles already on stations stay',
        tags,
        params: TemplateParams,
        response: { 204: Type.Null({ description: 'Removed' }) },
      },
    },
    async ({ params: { templateId } }, reply) => {
      if (!(await templates.remove(database, templateId))) throw unknownTemplate(templateId);
      return reply.code(204).send(null);
    },
  );
}

type Nullable<T> = { [K in keyof T]?: T[K] | null };

function merge(known: TemplateDefinition, change: Nullable<TemplateDefinition>): TemplateDefinition {
  const merged = Object.entries({ ...known, ...change }).filter(([, value]) => value !== null);
  // Only optional fields can be null.
  return Object.fromEntries(merged) as unknown as TemplateDefinition;
}

function check(definition: TemplateDefinition): void {
  const { validFrom, validTo, schedule } = definition;
  readTime(validFrom, 'validFrom');
  readTime(validTo, 'validTo');
  readTime(schedule.startSchedule, 'schedule.startSchedule');
  checkProfile({ ...profileOf(definition), chargingProfileId: 1 });
}

function refuseTaken(name: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof templates.NameTaken)) throw error;
    throw new Problem(409, `another charging profile template is named ${name}; choose another name`, {
      field: 'name',
    });
  };
}

function shown({ definition, ...row }: TemplateRow) {
  const {
    recurrencyKind = null,
    validFrom = null,
    validTo = null,
    voltage = null,
    phases = null,
  } = definition;
  return { ...row, ...definition, recurrencyKind, validFrom, validTo, voltage, phases };
}
