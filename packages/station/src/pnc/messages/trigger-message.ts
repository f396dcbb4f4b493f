import { command } from '../command.ts';
import type { PncStation } from '../pnc-station.ts';
import { object, oneOf, text } from '../shape.ts';
import type { SigningUse } from './sign-certificate.ts';

const USES = {
  SignV2GCertificate: 'V2GCertificate',
  SignChargingStationCertificate: 'ChargingStationCertificate',
} as const;

/** PNC §6.9: a CSR follows the answer. OCA's table has no field; if there is one, it must match. */
export const triggerMessage = {
  oca: command(
    object({}, { requestedMessage: text(50) }),
    (station, { requestedMessage = 'SignV2GCertificate' }) =>
      requestedMessage === 'SignV2GCertificate'
        ? sign(station, 'V2GCertificate')
        : { status: 'NotImplemented' },
  ),
  has2be: command(
    object({ requestedMessage: oneOf('SignV2GCertificate', 'SignChargingStationCertificate') }),
    (station, { requestedMessage }) => sign(station, USES[requestedMessage]),
  ),
};

function sign(station: PncStation, use: SigningUse): object {
  const { pnc, configuration } = station;
  // As with the native CSR (SEC A02), O is CpoName.
  if (!pnc.isEnabled || !configuration.find('CpoName')?.value) return { status: 'Rejected' };
  station.afterAnswer(() => pnc.signCertificate(use));
  return { status: 'Accepted' };
}
