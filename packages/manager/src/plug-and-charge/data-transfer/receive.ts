import { OcppError } from '@evander/ocpp';
import type { DataTransferRequest, DataTransferResponse, Dialect } from '@evander/ocpp';
import { faultOf } from '../../database/storage-error.ts';
import * as pncDialects from '../dialects.store.ts';
import { openRequest, packResponse } from './codec.ts';
import type { Opened } from './codec.ts';
import { messageIdsOf } from './dialects.ts';
import { PNC_MESSAGES } from './index.ts';
import type { PncContext, PncMessage, PncStationAction } from './tunnel.ts';

type Context = Omit<PncContext, 'dialect'>;
type HandleData = (request: DataTransferRequest, context: Context) => Promise<DataTransferResponse>;

/** A dialect's handlers by messageId in lower case, for the table of vendors. */
export function tunnelOf(dialect: Dialect): Record<string, HandleData> {
  const actions = Object.keys(PNC_MESSAGES) as PncStationAction[];
  const handlers = actions.flatMap((action) => {
    const handle: HandleData = (request, context) => receive({ dialect, action }, request, context);
    return messageIdsOf(dialect, action).map((messageId) => [messageId.toLowerCase(), handle] as const);
  });
  return Object.fromEntries(handlers);
}

/**
 * Handles one tunnelled message. The outer status says only whether it could be read; the inner response states the outcome (PnC.2).
 */
async function receive(
  { dialect, action }: { dialect: Dialect; action: PncStationAction },
  { data }: DataTransferRequest,
  context: Context,
): Promise<DataTransferResponse> {
  const { database, stationId, log, pnc } = context;
  let opened: Opened;
  try {
    opened = openRequest({ dialect, action }, data);
  } catch (error) {
    if (!(error instanceof OcppError)) throw error;
    log.warn({ dialect, action, description: error.message }, 'a tunnelled message cannot be read');
    return { status: 'Rejected' };
  }
  if (opened.defects.length > 0) log.warn({ dialect, action, defects: opened.defects }, 'defects ignored');
  await pncDialects.note(database, stationId, dialect);
  // An action, its request and its response belong together; the compiler cannot infer that from a lookup.
  const message = PNC_MESSAGES[action] as PncMessage<PncStationAction>;
  try {
    const response = await message.handle(opened.payload as never, { ...context, dialect });
    const packed = packResponse({ dialect, action }, response, { has2beFailure: pnc.has2beFailure });
    return { status: 'Accepted', data: packed };
  } catch (error) {
    if (faultOf(error) !== 'theirs') throw error;
    log.warn({ dialect, action, err: error }, 'a tunnelled message contains data that cannot be stored');
    return { status: 'Rejected' };
  }
}
