import type { GetConfigurationResponse } from '@evander/ocpp';
import { isAuthorizationKey } from '@evander/process';
import { RuleViolation } from '../../commands/command.ts';
import type { Command, CommandContext } from '../../commands/command.ts';
import * as configuration from '../../configuration/configuration.store.ts';
import * as openReconciliations from '../../desired-state/open-reconciliations.store.ts';
import { isAfter } from '../../stations/station-clock.ts';
import * as stations from '../../stations/stations.store.ts';

const MAX_KEYS = 'GetConfigurationMaxKeys';

export const getConfiguration: Command<'GetConfiguration'> = {
  repeatable: true,
  async check({ key: keys = [] }, { db, stationId }) {
    const max = await configuration.integer(db, stationId, MAX_KEYS);
    if (max !== undefined && keys.length > max)
      throw new RuleViolation(
        'GetConfiguration.2',
        `${keys.length} keys are requested, but the ${MAX_KEYS} of station ${stationId} is ${max}; request them in several commands, or all keys by naming none`,
      );
  },
  async onAnswer(response, { request: { key: requested = [] }, sentAt }, { db, stationId, now }) {
    const station = await stations.lock(db, stationId);
    // A later reading of all keys counts more than this answer.
    if (!station || isAfter(station.configurationReadAt, sentAt)) return;
    const { configurationKey = [], unknownKey = [] } = response;
    // The reported value of an AuthorizationKey is not the password (GetConfiguration.4).
    const keys = configurationKey.map(({ key, readonly, value = null }) => ({
      key,
      readonly,
      value: isAuthorizationKey(key) ? null : value,
    }));
    await openReconciliations.onReading(db, { stationId, at: now }, async () => {
      await configuration.recordKeys(db, stationId, { keys, readAt: sentAt });
      await configuration.removeKeys(db, stationId, { keys: unknownKey, readAt: sentAt });
      if (requested.length === 0 && (await isComplete(response, { db, stationId })))
        await configuration.removeOthers(db, stationId, {
          keys: keys.map(({ key }) => key),
          readAt: sentAt,
        });
    });
  },
};

// Some stations apply the limit for requests to the answer too and omit the rest.
async function isComplete(
  { configurationKey = [] }: GetConfigurationResponse,
  { db, stationId }: Pick<CommandContext, 'db' | 'stationId'>,
): Promise<boolean> {
  const { length } = configurationKey;
  return length > 0 && length !== (await configuration.integer(db, stationId, MAX_KEYS));
}
