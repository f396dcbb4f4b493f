import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';

/** SEC M05: installs a root certificate to trust from now on. */
export function installCertificate(
  station: Pick<CommandedStation, 'certificates'>,
  request: Requests['InstallCertificate'],
): Responses['InstallCertificate'] {
  return { status: station.certificates.install(request) };
}
