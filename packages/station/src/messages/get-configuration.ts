import { OcppError, type Requests, type Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';

/** §5.8: without keys, returns all. A write-only key is known but has no visible value. */
export function getConfiguration(
  station: Pick<CommandedStation, 'configuration' | 'quirks'>,
  { key = [] }: Requests['GetConfiguration'],
): Responses['GetConfiguration'] {
  const { configuration, quirks } = station;
  const maxKeys = configuration.integer('GetConfigurationMaxKeys');
  if (key.length > maxKeys)
    throw new OcppError('OccurenceConstraintViolation', `ask for ${maxKeys} keys at most`);
  const asked = key.length > 0 ? key : configuration.names;
  const unknownKey = asked.filter((name) => !configuration.find(name));
  const configurationKey = asked
    .map((name) => configuration.find(name))
    .filter((entry) => entry !== undefined)
    .map(({ key, value, access }) => ({
      key,
      readonly: access === 'R',
      ...(value !== undefined &&
        access !== 'W' && { value: quirks.numericBooleans ? numeric(value) : value }),
    }));
  return {
    ...(configurationKey.length > 0 && { configurationKey }),
    ...(unknownKey.length > 0 && { unknownKey }),
  };
}

/** 1 and 0 for booleans, other values unchanged. */
function numeric(value: string): string {
  return value.replace(/^true$/i, '1').replace(/^false$/i, '0');
}
