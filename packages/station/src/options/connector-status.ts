import type { Requests } from '@evander/ocpp';

/** A connector's OCPP status. */
export type ConnectorStatus = Requests['StatusNotification']['status'];

/** The fields of a StatusNotification besides the status. */
export type ConnectorError = Partial<
  Pick<Requests['StatusNotification'], 'errorCode' | 'info' | 'vendorId' | 'vendorErrorCode'>
>;
