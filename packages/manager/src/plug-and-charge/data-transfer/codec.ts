import { checkTunnelled, dialectOf, DIALECTS, OcppError, readTunnelled } from '@evander/ocpp';
import type { DataTransferRequest, Dialect } from '@evander/ocpp';
import { storable } from '../../database/storable.ts';
import { messageIdsOf, pncActionOf, wordingOf } from './dialects.ts';
import type { PncAction } from './tunnel.ts';
import type { Side } from './wording.ts';

type Payload = Record<string, unknown>;

/** A tunnelled message: its action and dialect. */
export interface Envelope {
  dialect: Dialect;
  action: PncAction;
}

/** The content of a DataTransfer, in OCA's terms. */
export interface Opened {
  payload: object;
  /** Ignored defects, as sentences for the log. */
  defects: string[];
}

/** The tunnelled message of a DataTransfer; undefined when it is from another vendor or the dialect has no such action. */
export function envelopeOf({ vendorId, messageId }: DataTransferRequest): Envelope | undefined {
  const dialect = dialectOf(vendorId);
  const action = dialect && pncActionOf(dialect, messageId ?? '');
  return action && { dialect, action };
}

/** Strict check of an outgoing request: throws OcppError when the content of the DataTransfer violates its schema. */
export function checkRequest(envelope: Envelope, data: string | undefined): void {
  checkTunnelled(schemaName(envelope, 'request'), parse(data));
}

/** Opens a request. Throws OcppError when it cannot be read. */
export function openRequest({ dialect, action }: Envelope, data: string | undefined): Opened {
  const raw = parse(data);
  const { payload, defects } = readTunnelled(schemaName({ dialect, action }, 'request'), raw);
  if (action === 'Authorize') requireEvidence(raw, payload as Payload);
  const { readRequest } = wordingOf(dialect, action);
  return { payload: readRequest ? readRequest(payload as Payload) : (payload as Payload), defects };
}

/** Opens a response to a request that Evander sent. Throws OcppError when it cannot be read. */
export function openResponse({ dialect, action }: Envelope, data: string | undefined, side: Side): Opened {
  const { payload, defects } = readTunnelled(schemaName({ dialect, action }, 'response'), parse(data));
  const { readResponse } = wordingOf(dialect, action);
  return { payload: readResponse ? readResponse(payload as Payload, side) : (payload as Payload), defects };
}

/** Packs a request into a DataTransfer. Throws OcppError when it violates its schema. */
export function packRequest(
  { dialect, action }: Envelope,
  payload: object,
  messageId = messageIdsOf(dialect, action)[0] ?? action,
): DataTransferRequest {
  const { writeRequest } = wordingOf(dialect, action);
  const worded = writeRequest ? writeRequest(payload) : payload;
  checkTunnelled(schemaName({ dialect, action }, 'request'), worded);
  return { vendorId: DIALECTS[dialect].vendorId, messageId, data: JSON.stringify(worded) };
}

/** Packs a response into the `data` of its DataTransfer. Throws OcppError when it violates its schema, which is a bug in Evander. */
export function packResponse({ dialect, action }: Envelope, payload: object, side: Side): string {
  const { writeResponse } = wordingOf(dialect, action);
  const worded = writeResponse ? writeResponse(payload, side) : payload;
  checkTunnelled(schemaName({ dialect, action }, 'response'), worded);
  return JSON.stringify(worded);
}

function schemaName({ dialect, action }: Envelope, kind: 'request' | 'response') {
  return { dialect, action: messageIdsOf(dialect, action)[0] ?? action, kind };
}

/** Missing `data` means an empty message: some messages have no mandatory field. */
function parse(data: string | undefined): unknown {
  if (data === undefined || data.trim() === '') return {};
  try {
    return storable(JSON.parse(data) as unknown);
  } catch {
    throw new OcppError('FormationViolation', 'data is not JSON');
  }
}

const EVIDENCE = ['certificate', 'iso15118CertificateHashData', '15118CertificateHashData'];

/** Tolerance must not accept a contract unchecked: all evidence that was sent must be readable. */
function requireEvidence(raw: unknown, read: Payload): void {
  for (const name of EVIDENCE) {
    const sent = (raw as Payload)[name] ?? undefined;
    const usable = read[name];
    // A missing mandatory list is read as an empty one.
    const isWhole = Array.isArray(usable)
      ? usable.length > 0 && usable.length === (sent as unknown[] | undefined)?.length
      : (usable === undefined) === (sent === undefined);
    if (!isWhole && !(name.startsWith('iso') && Array.isArray(sent) && sent.length === 0))
      throw new OcppError('PropertyConstraintViolation', `${name} cannot be read`);
  }
}
