import { DIALECTS } from '@evander/ocpp';
import type { DataTransferRequest, DataTransferResponse } from '@evander/ocpp';
import { tunnelOf } from '../../plug-and-charge/data-transfer/receive.ts';
import type { Context, Message } from '../message.ts';

type HandleData = (request: DataTransferRequest, context: Context) => Promise<DataTransferResponse>;

/** Handlers by vendorId and messageId, both in lower case (CiStrings). */
export type Vendors = Record<string, Record<string, HandleData>>;

const VENDORS: Vendors = {
  [DIALECTS.oca.vendorId]: tunnelOf('oca'),
  [DIALECTS.has2be.vendorId]: tunnelOf('has2be'),
};

export const dataTransfer = dataTransferOf(VENDORS);

/** Routes DataTransfer by vendorId and messageId; a request without messageId goes to the handler named ''. */
export function dataTransferOf(vendors: Vendors): Message<'DataTransfer'> {
  return {
    async handle(request, context) {
      const vendorId = request.vendorId.toLowerCase();
      const messageId = (request.messageId ?? '').toLowerCase();
      // Own properties only, as a station may send "constructor".
      const messages = Object.hasOwn(vendors, vendorId) ? vendors[vendorId] : undefined;
      if (!messages) return { status: 'UnknownVendorId' };
      const handle = Object.hasOwn(messages, messageId) ? messages[messageId] : undefined;
      return handle ? handle(request, context) : { status: 'UnknownMessageId' };
    },
  };
}
