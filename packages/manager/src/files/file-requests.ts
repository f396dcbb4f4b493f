import type { CommandAction, SignedUpdateFirmwareRequest, UpdateFirmwareRequest } from '@evander/ocpp';
import type { Db } from '../database/database.ts';
import type { FileRow } from './file-list.store.ts';
import type { Draft, FileLinks, Transport } from './links.ts';

/** A command for a file that Evander serves or receives, with its link. */
export interface FileRequest {
  action: CommandAction;
  request: object;
  /** Stores the link. Call it in the database transaction that records the command. */
  keepLink(db: Db, about: { stationId: string; commandId: string }): Promise<void>;
}

/** How a file is transferred. */
interface TransferOptions {
  transport: Transport;
  retries?: number | undefined;
  retryInterval?: number | undefined;
}

export interface FirmwareOptions extends TransferOptions {
  signed: boolean;
  /** When the download may start. */
  retrieveAt: Date;
  /** For signed updates only. */
  installAt?: Date | undefined;
}

/** Whether a file can be sent with SignedUpdateFirmware. */
export function isSigned(file: FileRow): boolean {
  return file.signature !== null && file.signingCertificate !== null;
}

/** The command for a firmware update; `signed` requires a signed file. Throws NoPublicUrl. */
export function firmwareRequest(file: FileRow, options: FirmwareOptions, links: FileLinks): FileRequest {
  const { signed, retrieveAt, installAt, transport } = options;
  const draft = links.toFetch(file, transport, retrieveAt);
  const { location, store: keepLink } = draft;
  const retrieveDate = retrieveAt.toISOString();
  if (!signed)
    return { action: 'UpdateFirmware', request: { location, retrieveDate, ...retriesOf(options) }, keepLink };
  const firmware = {
    location,
    retrieveDateTime: retrieveDate,
    ...(installAt && { installDateTime: installAt.toISOString() }),
    signingCertificate: file.signingCertificate,
    signature: file.signature,
  };
  return { action: 'SignedUpdateFirmware', request: { firmware, ...retriesOf(options) }, keepLink };
}

/** The UpdateFirmware for the same firmware and link as a SignedUpdateFirmware. */
export function plainUpdate({
  firmware,
  retries,
  retryInterval,
}: SignedUpdateFirmwareRequest): UpdateFirmwareRequest {
  const { location, retrieveDateTime: retrieveDate } = firmware;
  return { location, retrieveDate, ...retriesOf({ retries, retryInterval }) };
}

export interface UploadOptions extends TransferOptions {
  from: Date | null;
  to: Date | null;
}

/** The command for an upload of diagnostics. Throws NoPublicUrl. */
export function diagnosticsRequest({ from, to, ...options }: UploadOptions, links: FileLinks): FileRequest {
  const { location, store: keepLink }: Draft = links.toUpload('diagnostics', options.transport);
  const period = {
    ...(from && { startTime: from.toISOString() }),
    ...(to && { stopTime: to.toISOString() }),
  };
  return { action: 'GetDiagnostics', request: { location, ...period, ...retriesOf(options) }, keepLink };
}

export type LogType = 'DiagnosticsLog' | 'SecurityLog';

/** The command for an upload of a log. Throws NoPublicUrl. */
export function logRequest(
  logType: LogType,
  { from, to, ...options }: UploadOptions,
  links: FileLinks,
): FileRequest {
  const { location: remoteLocation, store: keepLink }: Draft = links.toUpload('log', options.transport);
  const log = {
    remoteLocation,
    ...(from && { oldestTimestamp: from.toISOString() }),
    ...(to && { latestTimestamp: to.toISOString() }),
  };
  return { action: 'GetLog', request: { log, logType, ...retriesOf(options) }, keepLink };
}

function retriesOf({
  retries,
  retryInterval,
}: Omit<TransferOptions, 'transport'>): Pick<UpdateFirmwareRequest, 'retries' | 'retryInterval'> {
  return { ...(retries !== undefined && { retries }), ...(retryInterval !== undefined && { retryInterval }) };
}
