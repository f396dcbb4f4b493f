import type { SendLocalListRequest } from '@evander/ocpp';
import { tagKey } from '../authorization/tags.store.ts';
import { RuleViolation } from '../commands/command.ts';
import type { CheckContext } from '../commands/command.ts';
import * as configuration from '../configuration/configuration.store.ts';
import * as localListEntries from './local-list-entries.store.ts';
import * as localLists from './local-lists.store.ts';

/** What holds for the entries of a list by themselves (SendLocalList.1, SendLocalList.2): throws RuleViolation. */
export function checkEntries({
  updateType,
  localAuthorizationList: entries = [],
}: SendLocalListRequest): void {
  const bare = entries.find(({ idTagInfo }) => idTagInfo === undefined);
  if (updateType === 'Full' && bare)
    throw new RuleViolation(
      'SendLocalList.1',
      `every entry of a Full list needs an idTagInfo; that of idTag ${bare.idTag} is missing`,
    );
  const seen = new Set<string>();
  for (const { idTag } of entries) {
    if (seen.has(tagKey(idTag)))
      throw new RuleViolation(
        'SendLocalList.2',
        `idTag ${idTag} is there twice; in any case it is the same tag`,
      );
    seen.add(tagKey(idTag));
  }
}

/** A version is positive, and that of a Differential list higher than the one that the station has (SendLocalList.3). */
export async function requireRisingVersion(
  { listVersion, updateType }: SendLocalListRequest,
  { db, stationId }: CheckContext,
): Promise<void> {
  if (listVersion < 1)
    throw new RuleViolation(
      'SendLocalList.3',
      'listVersion must be 1 or higher; leave it out for the next one',
    );
  if (updateType !== 'Differential') return;
  const version = (await localLists.find(db, stationId))?.version ?? 0;
  if (listVersion <= version)
    throw new RuleViolation(
      'SendLocalList.3',
      `station ${stationId} has version ${version}: a Differential list needs a higher listVersion; leave it out for the next one`,
    );
}

/** No more entries than a station takes in one message, and in all, as far as it has said (SendLocalList.2). */
export async function requireRoomInList(
  { updateType, localAuthorizationList: entries = [] }: SendLocalListRequest,
  context: CheckContext,
): Promise<void> {
  await requireAtMost(context, 'SendLocalListMaxLength', entries.length);
  const added = entries.filter(({ idTagInfo }) => idTagInfo !== undefined);
  const named = entries.map(({ idTag }) => idTag);
  const kept =
    updateType === 'Full' ? 0 : await localListEntries.countBeside(context.db, context.stationId, named);
  await requireAtMost(context, 'LocalAuthListMaxLength', kept + added.length);
}

async function requireAtMost({ db, stationId }: CheckContext, key: string, entries: number): Promise<void> {
  const most = await configuration.integer(db, stationId, key);
  if (most === undefined || entries <= most) return;
  throw new RuleViolation(
    'SendLocalList.2',
    `the list has ${entries} entries, and the ${key} of station ${stationId} is ${most}; send a Full list and Differential ones after it, or fewer tags`,
  );
}
