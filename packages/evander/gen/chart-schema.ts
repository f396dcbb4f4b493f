import { RANGES } from '@evander/process';
import type { Setting } from '@evander/process';
import { format, resolveConfig } from 'prettier';
import { allMatches, PARTS, readRepositoryFile } from './parts.ts';

const CHART = 'deploy/helm/evander';

interface Schema {
  properties: Record<string, { properties: Record<string, object> }>;
}

/** The schema of the chart's values, with `settings` of gateway and manager: all variables except those that the templates set. */
export async function writeChartSchema(text: string): Promise<string> {
  const schema = JSON.parse(text) as Schema;
  for (const { part, settings } of PARTS) {
    const values = schema.properties[part];
    if (!values) throw new Error(`values.schema.json has no ${part}`);
    const inTemplate = templateVariables(part);
    const left = Object.values(settings).filter(({ variable }) => !inTemplate.includes(variable));
    values.properties.settings = {
      description: 'Variables of docs/operations.md, made by `pnpm gen`',
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(left.map((one) => [one.variable, schemaOf(one)])),
    };
  }
  const path = `${CHART}/values.schema.json`;
  return format(JSON.stringify(schema), { ...(await resolveConfig(path)), parser: 'json' });
}

/** Variables that the chart's templates set from other values. */
function templateVariables(part: string): string[] {
  const helpers = readRepositoryFile(`${CHART}/templates/_helpers.tpl`);
  const shared = /define "evander.sharedEnv" -}}\n([^]*?)\n{{- end -}}/.exec(helpers)?.[1] ?? '';
  const own = readRepositoryFile(`${CHART}/templates/${part}.yaml`);
  return allMatches(own + shared, /name: (EVANDER_\w+)/g);
}

function schemaOf({ kind, help: description }: Setting): object {
  // An unquoted digit is a number in YAML.
  if (typeof kind !== 'string')
    return {
      description,
      enum: kind.flatMap((value) => (/^\d+$/.test(value) ? [value, Number(value)] : [value])),
    };
  if (!(kind in RANGES)) return { description, type: ['string', 'integer'] };
  const [minimum, maximum] = RANGES[kind as keyof typeof RANGES];
  return { description, type: ['integer', 'string'], minimum, maximum, pattern: String.raw`^\d+$` };
}
