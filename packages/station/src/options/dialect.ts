/** The form of Plug & Charge in DataTransfer: OCA's application note, or has.to.be's extension. */
export type Dialect = 'oca' | 'has2be';

/** The vendorId of each dialect. */
export const VENDOR_IDS = {
  oca: 'org.openchargealliance.iso15118pnc',
  has2be: 'iso15118',
} as const satisfies Record<Dialect, string>;
