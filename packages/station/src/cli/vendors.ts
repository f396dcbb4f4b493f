import type { StationOptions } from '../options/station-options.ts';

/** A vendor's stations, as far as they are known to differ from the specification. */
export type Vendor = Pick<StationOptions, 'identity' | 'configuration' | 'quirks'> & {
  /** For --help. */
  summary: string;
};

/** Real vendors by their --vendor names; their behaviour was observed on the wire, in public logs or in tests. */
export const VENDORS: Record<string, Vendor> = {
  abb: {
    summary: 'Terra AC: fills StatusNotification with the text "null", answers 20 configuration keys at most',
    identity: {
      chargePointVendor: 'ABB',
      chargePointModel: 'CDT_TACW11::NET_WIFI',
      firmwareVersion: 'TAC3Z9119006710273::V1.8.21',
    },
    configuration: { GetConfigurationMaxKeys: '20' },
    quirks: { statusFiller: { info: 'null', vendorErrorCode: '0x0000' } },
  },
  beny: {
    summary: 'connects to …//ID, with an empty level in the path',
    identity: { chargePointVendor: 'BENY', chargePointModel: 'BCP' },
    quirks: { doubleSlash: true },
  },
  enplus: {
    summary: 'never answers a WebSocket ping',
    identity: { chargePointVendor: 'EN+', chargePointModel: 'AC' },
    quirks: { noPongs: true },
  },
  goe: {
    summary: 'tells booleans as 0 and 1',
    identity: { chargePointVendor: 'go-e', chargePointModel: 'Charger' },
    quirks: { numericBooleans: true },
  },
};
