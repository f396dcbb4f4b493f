/** How Plug & Charge travels in DataTransfer: as OCA's application note says, or as has.to.be's extension does. */
export type Dialect = 'oca' | 'has2be';

/** The vendorId of each dialect. */
export const VENDOR_IDS = {
  oca: 'org.openchargealliance.iso15118pnc',
  has2be: 'iso15118',
} as const satisfies Record<Dialect, string>;
