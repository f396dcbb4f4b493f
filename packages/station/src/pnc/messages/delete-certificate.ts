import { command } from '../command.ts';
import { hashData } from '../fields.ts';
import { object } from '../shape.ts';

const shape = object({ certificateHashData: hashData });

/** PNC §4.2; in Has2Be also for the native roots. */
export const deleteCertificate = {
  oca: command(shape, ({ pnc }, { certificateHashData }) => ({
    status: pnc.certificates.delete(certificateHashData),
  })),
  has2be: command(shape, ({ pnc, certificates }, { certificateHashData }) => {
    const status = pnc.certificates.delete(certificateHashData);
    return { status: status === 'NotFound' ? certificates.delete(certificateHashData) : status };
  }),
};
