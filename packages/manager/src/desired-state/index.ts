import { authorizationKey } from './authorization-key.ts';
import { configuration } from './configuration.ts';
import { localList } from './local-list.ts';
import type { Goals } from './reconciler.ts';
import { rootCertificates } from './root-certificates.ts';
import { securityProfile } from './security-profile.ts';
import { stationCertificate } from './station-certificate.ts';

/** The kinds of goals and their files. */
export const GOALS = {
  authorizationKey,
  configuration,
  localList,
  rootCertificates,
  securityProfile,
  stationCertificate,
} as const satisfies Goals;

export type GoalKind = keyof typeof GOALS;
