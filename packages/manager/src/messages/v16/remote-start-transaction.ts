import { RuleViolation } from '../../commands/command.ts';
import type { Command } from '../../commands/command.ts';
import { requireAcceptance } from '../../commands/common-rules.ts';
import { checkProfile, requireCapacity } from '../../smart-charging/charging-profile.rules.ts';

/** The transaction begins with its StartTransaction, which may never arrive (RemoteStart.3): see start-transaction.ts. */
export const remoteStartTransaction: Command<'RemoteStartTransaction'> = {
  ids: { 'chargingProfile.chargingProfileId': 'chargingProfileId' },
  async check({ connectorId, chargingProfile }, context) {
    requireAcceptance('RemoteStart.5', context);
    if (connectorId !== undefined && connectorId < 1)
      throw new RuleViolation('RemoteStart.1', 'connectorId must be 1 or higher, or omitted');
    if (!chargingProfile) return;
    const { chargingProfilePurpose, transactionId } = chargingProfile;
    if (chargingProfilePurpose !== 'TxProfile')
      throw new RuleViolation('RemoteStart.2', 'the chargingProfile must have the purpose TxProfile');
    if (transactionId !== undefined)
      throw new RuleViolation(
        'RemoteStart.2',
        'the chargingProfile must have no transactionId, as the transaction does not exist yet',
      );
    checkProfile(chargingProfile);
    await requireCapacity(chargingProfile, context);
  },
};
