import { reportSecurityEvent } from '../../connection/deliver.ts';
import { useNewCertificate } from '../../security/new-certificate.ts';
import { command } from '../command.ts';
import { pemOf } from '../hex-der.ts';
import type { PncStation } from '../pnc-station.ts';
import { object, oneOf, text } from '../shape.ts';
import type { SigningUse } from './sign-certificate.ts';

/** PNC §3.1: the chain for the last CSR, leaf first. */
export const certificateSigned = {
  oca: command(
    object({ certificateChain: text(10_000) }, { certificateType: oneOf('V2GCertificate') }),
    (station, { certificateChain }) => take(station, 'V2GCertificate', certificateChain),
  ),
  has2be: command(
    object({ cert: text(20_000), typeOfCertificate: oneOf('V2GCertificate', 'ChargingStationCertificate') }),
    (station, { cert, typeOfCertificate }) => take(station, typeOfCertificate, pemOf(cert)),
  ),
};

function take(station: PncStation, use: SigningUse, chain: string): { status: 'Accepted' | 'Rejected' } {
  const fault = station.pnc.accept(use, chain);
  if (fault !== undefined) {
    station.afterAnswer(() => reportSecurityEvent(station, 'InvalidChargePointCertificate', fault));
    return { status: 'Rejected' };
  }
  if (use === 'ChargingStationCertificate') useNewCertificate(station);
  return { status: 'Accepted' };
}
