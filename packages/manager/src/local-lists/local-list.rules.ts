import type { SendLocalListRequest } from '@evander/ocpp';
import { tagKey } from '../authorization/tags.store.ts';
import { RuleViolation } from '../commands/command.ts';
import type { CheckContext } from '../commands/command.ts';
import * as configuration from '../configuration/configuration.store.ts';
import * as localListEntries from './local-list-entries.store.ts';
import * as localLists from './local-lists.store.ts';

/** Checks the entries of a list (SendLocalList.1, SendLocalList.2). Throws RuleViolation. */
export function checkEntries({
  updateType,
  localAuthorizationList: entries = [],
}: SendLocalListRequest): void {
  const incomplete = entries.find(({ idTagInfo }) => idTagInfo === undefined);
  if (updateType === 'Full' && incomplete)
    throw new RuleViolation(
      'SendLocalList.1',
      `each entry of a Full list must have an idTagInfo; idTag ${incomplete.idTag} has none`,
    );
  const seen = new Set<string>();
  for (const { idTag } of entries) {
    if (seen.has(tagKey(idTag)))
      throw new RuleViolation(
        'SendLocalList.2',
        `idTag ${idTag} appears twice; tags are compared without regard to case`,
      );
    seen.add(tagKey(idTag));
  }
}

/** Requires a positive version, and for a Differential list a higher one than the station has (SendLocalList.3). Throws RuleViolation. */
export async function requireRisingVersion(
  { listVersion, updateType }: SendLocalListRequest,
  { db, stationId }: CheckContext,
): Promise<void> {
  if (listVersion < 1)
    throw new RuleViolation('SendLocalList.3', 'listVersion must be 1 or higher; omit it for the next one');
  if (updateType !== 'Differential') return;
  const version = (await localLists.find(db, stationId))?.version ?? 0;
  if (listVersion <= version)
    throw new RuleViolation(
      'SendLocalList.3',
      `station ${stationId} has version ${version}: a Differential list needs a higher listVersion; omit it for the next one`,
    );
}

/** Checks the station's limits, if known, for entries per message and in total (SendLocalList.2). Throws RuleViolation. */
export async function requireRoomInList(
  { updateType, localAuthorizationList: entries = [] }: SendLocalListRequest,
  context: CheckContext,
): Promise<void> {
  await requireAtMost(context, 'SendLocalListMaxLength', entries.length);
  const added = entries.filter(({ idTagInfo }) => idTagInfo !== undefined);
  const named = entries.map(({ idTag }) => idTag);
  const unchanged =
    updateType === 'Full' ? 0 : await localListEntries.countOthers(context.db, context.stationId, named);
  await requireAtMost(context, 'LocalAuthListMaxLength', unchanged + added.length);
}

async function requireAtMost({ db, stationId }: CheckContext, key: string, entries: number): Promise<void> {
  const max = await configuration.integer(db, stationId, key);
  if (max === undefined || entries <= max) return;
  throw new RuleViolation(
    'SendLocalList.2',
    `the list has ${entries} entries, but the ${key} of station ${stationId} is ${max}; send a Full list followed by Differential ones, or fewer tags`,
  );
}
