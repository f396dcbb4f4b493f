import type { Sender } from './actions.ts';

/**
 * The dialects of ISO 15118 Plug & Charge over DataTransfer: OCA's application note of 2020, and the older extension of has.to.be. Each has
 * a vendorId for its messages, and its actions with their senders; the action is the messageId.
 */
export const DIALECTS = {
  oca: {
    vendorId: 'org.openchargealliance.iso15118pnc',
    actions: {
      Authorize: 'station',
      CertificateSigned: 'manager',
      DeleteCertificate: 'manager',
      Get15118EVCertificate: 'station',
      GetCertificateStatus: 'station',
      GetInstalledCertificateIds: 'manager',
      InstallCertificate: 'manager',
      SignCertificate: 'station',
      TriggerMessage: 'manager',
    },
  },
  has2be: {
    vendorId: 'iso15118',
    actions: {
      Authorize: 'station',
      CertificateSigned: 'manager',
      DeleteCertificate: 'manager',
      ExtendedTriggerMessage: 'manager',
      Get15118EVCertificate: 'station',
      GetCertificateStatus: 'station',
      GetInstalledCertificateIds: 'manager',
      InstallCertificate: 'manager',
      SignCertificate: 'station',
    },
  },
} as const satisfies Record<string, { vendorId: string; actions: Record<string, Sender> }>;

export type Dialect = keyof typeof DIALECTS;

/** Actions of a dialect. */
export type TunnelAction<D extends Dialect> = keyof (typeof DIALECTS)[D]['actions'];
