import type { Requests, Responses } from '@evander/ocpp';
import type { Station } from '../station.ts';

const VENDOR_ID = 'evander';
const ECHO = 'echo';

/** §4.3: the vendor `Evander` has one message, `Echo`, which returns its data. */
export function dataTransfer(
  _station: Station,
  { vendorId, messageId, data }: Requests['DataTransfer'],
): Responses['DataTransfer'] {
  if (vendorId.toLowerCase() !== VENDOR_ID) return { status: 'UnknownVendorId' };
  if (messageId?.toLowerCase() !== ECHO) return { status: 'UnknownMessageId' };
  return { status: 'Accepted', ...(data !== undefined && { data }) };
}
