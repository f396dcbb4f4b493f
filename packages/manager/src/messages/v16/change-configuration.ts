import { isAuthorizationKey } from '@evander/process';
import type { Command } from '../../commands/command.ts';
import { checkChange } from '../../configuration/configuration.rules.ts';
import * as configuration from '../../configuration/configuration.store.ts';
import * as openReconciliations from '../../desired-state/open-reconciliations.store.ts';
import * as passwordChanges from '../../stations/password-changes.store.ts';
import { passwordHashes } from '../../stations/station-password.ts';
import * as stations from '../../stations/stations.store.ts';

export const changeConfiguration: Command<'ChangeConfiguration'> = {
  repeatable: true,
  check: checkChange,
  // The station may use its new password without ever answering, so both passwords are accepted until it answers (ocppj.md AUT.7).
  async onRequest({ key, value }, { db, stationId, commandId, passwordPepper }) {
    if (isSecurityProfile(key)) await stations.expectProfile(db, stationId, Number(value));
    if (!isAuthorizationKey(key)) return;
    const hashes = passwordHashes(value, stationId, passwordPepper);
    await passwordChanges.add(db, { commandId, stationId, passwordHashes: hashes });
  },
  async onAnswer({ status }, { request: { key, value }, sentAt }, { db, stationId, commandId, now }) {
    const station = await stations.lock(db, stationId);
    if (!station) return;
    const isSecret = isAuthorizationKey(key);
    const isAccepted = status === 'Accepted' || status === 'RebootRequired';
    if (isSecurityProfile(key) && !isAccepted) await stations.expectProfile(db, stationId, null);
    // A station may boot before it answers.
    const hasBooted = station.bootedAt !== null && station.bootedAt > sentAt;
    const rebootRequired = status === 'RebootRequired' && !hasBooted;
    if (isSecret && !isAccepted) await passwordChanges.remove(db, commandId);
    else if (isSecret && rebootRequired) await passwordChanges.awaitBoot(db, commandId, sentAt);
    else if (isSecret) await passwordChanges.accept(db, commandId);
    // A later reading of all keys counts more than this answer.
    if (station.configurationReadAt !== null && station.configurationReadAt > sentAt && !isSecret) return;
    const shownValue = isSecret ? null : value;
    await openReconciliations.onReading(db, { stationId, at: now }, async () => {
      if (isAccepted)
        await configuration.recordChange(db, { stationId, key, value: shownValue, rebootRequired, sentAt });
      else if (status === 'NotSupported')
        await configuration.removeKeys(db, stationId, { keys: [key], readAt: sentAt });
    });
  },
  async onFailure(_failure, { key }, { db, stationId, commandId }) {
    if (isAuthorizationKey(key)) await passwordChanges.remove(db, commandId);
    if (isSecurityProfile(key)) await stations.expectProfile(db, stationId, null);
  },
};

function isSecurityProfile(key: string): boolean {
  return key.toLowerCase() === 'securityprofile';
}
