/** The certificate types in the two lists of a station: that of OCPP, and that of Plug & Charge (PnC.4). */
export const LISTS = {
  ocpp: ['CentralSystemRootCertificate', 'ManufacturerRootCertificate'],
  pnc: ['V2GRootCertificate', 'MORootCertificate', 'V2GCertificateChain'],
} as const;
export type ListName = keyof typeof LISTS;
