import { requireSetting, setting } from '@evander/process';
import type { Settings } from '@evander/process';
import { readFileSync } from 'node:fs';
import type { CertificateOptions } from './certificates.ts';

/** The variables of stations' certificates. */
export const CERTIFICATE_SETTINGS = {
  organisation: setting(
    'EVANDER_ORGANISATION',
    'text',
    'Evander',
    'Name of the operator: O in stations’ certificates, and their CpoName',
  ),
  certificateAuthority: setting(
    'EVANDER_CERTIFICATE_AUTHORITY',
    ['builtin', 'est', 'manual'],
    'builtin',
    'Who signs stations’ certificates: the built-in authority, an EST authority, or an operator by CertificateSigned',
  ),
  estUrl: setting(
    'EVANDER_EST_URL',
    'httpUrl',
    undefined,
    'URL of the EST authority (RFC 7030), such as https://est.example/.well-known/est',
  ),
  estUser: setting('EVANDER_EST_USER', 'text', undefined, 'User name for the EST authority'),
  estPassword: setting('EVANDER_EST_PASSWORD', 'text', undefined, 'Password for the EST authority'),
  estCaFile: setting(
    'EVANDER_EST_CA_FILE',
    'text',
    undefined,
    'PEM file with the root that the EST server’s certificate must lead to; if unset, public roots count',
  ),
  stationCertificateDays: setting(
    'EVANDER_STATION_CERTIFICATE_DAYS',
    'count',
    365,
    'Days for which a station’s certificate from the built-in authority is valid',
  ),
  certificateRenewDays: setting(
    'EVANDER_CERTIFICATE_RENEW_DAYS',
    'count',
    30,
    'Days before its certificate expires at which a station is asked to renew it',
  ),
};

/** Who signs certificates and for how long, from the environment's settings. Throws SettingsError when they do not fit together. */
export function certificateOptions(settings: Settings<typeof CERTIFICATE_SETTINGS>): CertificateOptions {
  const { organisation, certificateAuthority, stationCertificateDays: stationDays, estCaFile } = settings;
  const common = { organisation, stationDays, renewDays: settings.certificateRenewDays };
  if (certificateAuthority !== 'est') return { ...common, signedBy: certificateAuthority };
  return {
    ...common,
    signedBy: 'est',
    est: {
      url: requireSetting(CERTIFICATE_SETTINGS.estUrl, settings.estUrl),
      ...(settings.estUser !== undefined && { user: settings.estUser }),
      ...(settings.estPassword !== undefined && { password: settings.estPassword }),
      ...(estCaFile !== undefined && { ca: readFileSync(estCaFile, 'utf8') }),
    },
  };
}
