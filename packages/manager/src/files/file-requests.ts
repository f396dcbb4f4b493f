import type { CommandAction, SignedUpdateFirmwareRequest, UpdateFirmwareRequest } from '@evander/ocpp';
import type { Db } from '../database/database.ts';
import type { FileRow } from './file-list.store.ts';
import type { Draft, FileLinks, Transport } from './links.ts';

/** A command about a file that we serve or take, with its link. */
export interface FileRequest {
  action: CommandAction;
  request: object;
  /** To be done in the database transaction that records the command. */
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
  /** From when the download is allowed. */
  retrieveAt: Date;
  /** Of a signed update. */
  installAt?: Date | undefined;
}

/** Can a file be sent with SignedUpdateFirmware? */
export function isSigned(file: FileRow): boolean {
  return file.signature !== null && file.signingCertificate !== null;
}

/** The command that has a station fetch firmware; a signed one needs a file that is. Throws NoPublicUrl. */
export function firmwareRequest(file: FileRow, options: FirmwareOptions, links: FileLinks): FileRequest {
  const { signed, retrieveAt, installAt, transport } = options;
  const draft = links.toFetch(file, transport, retrieveAt);
  const { location, keep: keepLink } = draft;
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

/** The plain command for the same firmware, by the same link, as a signed one asks for. */
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

/** The command that has a station upload its diagnostics. Throws NoPublicUrl. */
export function diagnosticsRequest({ from, to, ...options }: UploadOptions, links: FileLinks): FileRequest {
  const { location, keep: keepLink }: Draft = links.toUpload('diagnostics', options.transport);
  const period = {
    ...(from && { startTime: from.toISOString() }),
    ...(to && { stopTime: to.toISOString() }),
  };
  return { action: 'GetDiagnostics', request: { location, ...period, ...retriesOf(options) }, keepLink };
}

export type LogType = 'DiagnosticsLog' | 'SecurityLog';

/** The command that has a station upload a log. Throws NoPublicUrl. */
export function logRequest(
  logType: LogType,
  { from, to, ...options }: UploadOptions,
  links: FileLinks,
): FileRequest {
  const { location: remoteLocation, keep: keepLink }: Draft = links.toUpload('log', options.transport);
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
