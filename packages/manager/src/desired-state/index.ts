import { authorizationKey } from './authorization-key.ts';
import { configuration } from './configuration.ts';
import { localList } from './local-list.ts';
import type { DesiredStates } from './reconciler.ts';
import { rootCertificates } from './root-certificates.ts';
import { securityProfile } from './security-profile.ts';
import { stationCertificate } from './station-certificate.ts';

/** The implementation of each kind of reconciliation. */
export const DESIRED_STATES = {
  authorizationKey,
  configuration,
  localList,
  rootCertificates,
  securityProfile,
  stationCertificate,
} as const satisfies DesiredStates;

export type ReconciliationKind = keyof typeof DESIRED_STATES;
