import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';

const VENDOR_ID = 'evander';
const ECHO = 'echo';

/** §4.3: the vendor `Evander` has one message, `Echo`, which returns its data; the Plug & Charge vendorId is also supported. */
export function dataTransfer(
  station: Pick<CommandedStation, 'pnc'>,
  request: Requests['DataTransfer'],
): Responses['DataTransfer'] {
  const { vendorId, messageId, data } = request;
  if (station.pnc.isSpokenBy(vendorId)) return station.pnc.answer(request);
  if (vendorId.toLowerCase() !== VENDOR_ID) return { status: 'UnknownVendorId' };
  if (messageId?.toLowerCase() !== ECHO) return { status: 'UnknownMessageId' };
  return { status: 'Accepted', ...(data !== undefined && { data }) };
}
