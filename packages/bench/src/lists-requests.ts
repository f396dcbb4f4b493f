import type pg from 'pg';
import { BUSY } from './lists-fill.ts';

/** A list with its queries: those with at most one filter, and those with two. */
export interface List {
  path: string;
  single: string[];
  pairs: string[];
}

interface Parameter {
  name: string;
  in: string;
  schema: { type?: string; enum?: string[] };
}
/** The used parts of an OpenAPI document. */
export interface OpenApi {
  paths: Record<string, Record<string, { parameters?: Parameter[] }>>;
}

const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
const PAGING_PARAMETERS = ['limit', 'cursor'];

/** Values for filters that are not enumerations: something frequent, something rare, something that does not exist. */
const VALUES: Record<string, string[]> = {
  stationId: [BUSY, 'S00007', 'nobody'],
  connectorId: ['1', '7'],
  idTag: ['free', 'TAG0000100', 'nobody'],
  parentIdTag: ['FLEET', 'GROUP0', 'nobody'],
  prefix: ['S0000', 'TAG00001', 'nobody'],
  from: [ago(1), ago(200)],
  to: [ago(25), ago(330)],
  lastEventId: ['1'],
  kind: [
    'certificate.signed',
    'security.event',
    'firmware.status',
    'connector.status',
    'certificate.*',
    'transaction.*',
    'log.status',
  ],
  type: ['TamperDetectionActivated', 'SettingSystemTime', 'nobody'],
  emaid: ['DE8AAC00000777', 'DE8AAC99999999'],
  action: ['BootNotification', 'Heartbeat', 'Reset'],
  messageId: ['777', 'none'],
  measurand: ['Power.Active.Import', 'Voltage'],
  context: ['Transaction.Begin', 'Sample.Clock'],
  key: ['Key7', 'none'],
  jobId: ['200', '99999999'],
  wave: ['1', '9'],
  transactionId: ['1', '99999999'],
  remoteStartCommandId: ['00000000-0000-0000-0000-000000000000'],
};

/** The lists of an OpenAPI document. Throws for a filter without known values, so that none is forgotten. */
export function listsOf({ paths }: OpenApi, places: Record<string, string | null>): List[] {
  return Object.entries(paths).flatMap(([path, { get }]) => {
    const parameters = get?.parameters?.filter((one) => one.in === 'query') ?? [];
    if (!parameters.some(({ name }) => name === 'cursor')) return [];
    const filters = parameters
      .filter(({ name }) => !PAGING_PARAMETERS.includes(name))
      .map((parameter) =>
        valuesOf(path, parameter).map((value) => `${parameter.name}=${encodeURIComponent(value)}`),
      );
    const pairs = filters.flatMap((some, i) =>
      filters
        .slice(i + 1)
        .flatMap((others) => some.flatMap((one) => others.map((other) => `${one}&${other}`))),
    );
    return [{ path: placed(path, places), single: ['', 'limit=500', ...filters.flat()], pairs }];
  });
}

/** A known row of each list that has sub-lists, by parameter name. */
export async function placesOf(client: pg.Client): Promise<Record<string, string | null>> {
  const { rows } = await client.query<Record<string, string | null>>(
    `SELECT (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY transaction_id) FROM transactions WHERE station_id = $1) AS "transactionId",
       (SELECT webhook_id FROM webhooks LIMIT 1) AS "webhookId",
       (SELECT campaign_id FROM firmware_campaigns LIMIT 1) AS "campaignId",
       (SELECT template_id FROM charging_profile_templates WHERE name = 'template 1') AS "templateId",
       (SELECT job_id FROM station_jobs WHERE station_id = $1 LIMIT 1) AS "jobId"`,
    [BUSY],
  );
  return { ...rows[0], stationId: BUSY, connectorId: '1' };
}

function valuesOf(path: string, { name, schema }: Parameter): string[] {
  if (schema.enum) return schema.enum;
  if (schema.type === 'boolean') return ['true', 'false'];
  const values = VALUES[name];
  if (values === undefined)
    throw new Error(`${path} has the filter "${name}": add values of it to ${import.meta.url}`);
  return values;
}

function placed(path: string, places: Record<string, string | null>): string {
  return path.replace('/api/v1', '').replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = places[name];
    if (value === undefined) throw new Error(`${path}: add a value of "${name}" to the places`);
    if (value === null) throw new Error(`${path}: the database has no row for "${name}"`);
    return value;
  });
}
