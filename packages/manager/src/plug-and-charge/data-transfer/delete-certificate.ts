import * as installedCertificates from '../../certificates/installed-certificates.store.ts';
import type { PncCommand } from './tunnel.ts';

export const deleteCertificate: PncCommand<'DeleteCertificate'> = {
  // NotFound: it is already gone. Failed: it may be the last of its type, and stays (PnC.14).
  async onAnswer({ status }, { request }, { db, stationId }) {
    if (status !== 'Accepted' && status !== 'NotFound') return;
    await installedCertificates.remove(db, { stationId, list: 'pnc' }, request.certificateHashData);
  },
};
