import type { Requests } from '@evander/ocpp';

/** A connector's status, in OCPP's words. */
export type ConnectorStatus = Requests['StatusNotification']['status'];

/** What a StatusNotification says besides the status. */
export type ConnectorError = Partial<
  Pick<Requests['StatusNotification'], 'errorCode' | 'info' | 'vendorId' | 'vendorErrorCode'>
>;
