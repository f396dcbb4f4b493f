import { setting } from '@evander/process';

/** The variables of recorded frames. */
export const FRAME_SETTINGS = {
  hiddenDataTransfers: setting(
    'EVANDER_HIDDEN_DATA_TRANSFERS',
    'text',
    undefined,
    'DataTransfers whose data are not recorded, in either direction: vendorId or vendorId/messageId, separated by commas; * for all',
  ),
};
