import { ACTIONS } from '@evander/ocpp';
import type { CommandAction } from '@evander/ocpp';
import * as configuration from '../configuration/configuration.store.ts';
import { RuleViolation } from './command.ts';
import type { CheckContext } from './command.ts';

/** Rules for every command: a rejected station is sent nothing (Boot.5), and the station must have the feature profile (G.13). */
export async function checkEveryCommand(action: CommandAction, context: CheckContext): Promise<void> {
  const { db, stationId, registrationStatus } = context;
  if (registrationStatus === 'Rejected')
    throw new RuleViolation(
      'Boot.5',
      `station ${stationId} is rejected and answers nothing; accept its next BootNotification first`,
    );
  const { profile } = ACTIONS[action];
  // Stations do not list Security among their feature profiles.
  if (profile === 'Security') return;
  if (await configuration.mayHaveFeature(db, stationId, profile)) return;
  throw new RuleViolation(
    'G.13',
    `station ${stationId} does not list the feature profile ${profile} of ${action} in its SupportedFeatureProfiles`,
  );
}

/** Remote starts and stops are only for stations that are accepted (Boot.4). */
export function requireAcceptance(rule: string, { stationId, registrationStatus }: CheckContext): void {
  if (registrationStatus !== 'Pending') return;
  throw new RuleViolation(
    rule,
    `station ${stationId} is Pending: it neither starts nor stops transactions until it is accepted`,
  );
}
