import type { CertificateHashData, InstallCertificateRequest } from '@evander/ocpp';
import { serialKey } from '@evander/pki';
import { X509Certificate } from 'node:crypto';
import * as installedCertificates from '../certificates/installed-certificates.store.ts';
import type { CertificateRow } from '../certificates/installed-certificates.store.ts';
import { readCertificates } from '../certificates/pem.ts';
import { answerTo } from './desired-state.ts';
import type { DesiredState, ReconciliationContext, Step } from './desired-state.ts';

export type DesiredRoot = InstallCertificateRequest;

export interface DesiredRoots {
  /** All desired certificates of these types. */
  certificates: DesiredRoot[];
}

const TYPES = ['CentralSystemRootCertificate', 'ManufacturerRootCertificate'] as const;
/** More than a station can store (CertificateStoreMaxLength). */
const MAX_CERTIFICATES = 1000;

/** The desired root certificates of a station; others of the named types are deleted. */
export const rootCertificates: DesiredState<DesiredRoots> = {
  permanent: true,
  async next({ certificates }, context) {
    for (const certificateType of TYPES) {
      const desired = certificates.filter((one) => one.certificateType === certificateType);
      if (desired.length === 0) continue;
      const step = await nextOfType(certificateType, desired, context);
      if (step) return step;
    }
    return { do: 'succeeded' };
  },
};

async function nextOfType(
  certificateType: DesiredRoot['certificateType'],
  desired: DesiredRoot[],
  context: ReconciliationContext,
): Promise<Step | undefined> {
  const listing = await nextListing(certificateType, context);
  if (listing) return listing;
  for (const one of desired) {
    const step = await nextRoot(one, context);
    if (step) return step;
  }
  const installed = await installedOf(certificateType, context);
  const surplus = installed.find((one) => !desired.some(({ certificate }) => isOf(one, certificate)));
  const certificateHashData = surplus?.certificateHashData;
  if (!surplus || !certificateHashData) return undefined;
  const refused = answerTo('DeleteCertificate', context.last);
  if (
    refused &&
    refused.status !== 'Accepted' &&
    isSameCertificate(context.last?.request, certificateHashData)
  )
    return { do: 'failed', reason: `${refused.reason}, for ${surplus.subject ?? surplus.serialNumber}` };
  return {
    do: 'send',
    action: 'DeleteCertificate',
    request: { certificateHashData },
    doing: `deletes ${surplus.subject ?? surplus.serialNumber}`,
  };
}

// Asks once for the installed certificates when the reconciliation is set, unless reported since, and again after each boot.
async function nextListing(
  certificateType: DesiredRoot['certificateType'],
  { last, requestedAt, db, stationId }: ReconciliationContext,
): Promise<Step | undefined> {
  const answer = answerTo('GetInstalledCertificateIds', last);
  if (answer && (last?.request as { certificateType?: string }).certificateType === certificateType)
    return ['Accepted', 'NotFound'].includes(answer.status)
      ? undefined
      : { do: 'failed', reason: answer.reason };
  const known = await installedCertificates.list(db, {
    stationId,
    certificateType,
    list: 'ocpp',
    after: null,
    rows: MAX_CERTIFICATES,
  });
  if (last || known.some(({ reportedAt }) => reportedAt !== null && reportedAt >= requestedAt))
    return undefined;
  return {
    do: 'send',
    action: 'GetInstalledCertificateIds',
    request: { certificateType },
    doing: `asks which ${certificateType}s it has`,
  };
}

/** The next step to install a root on a station; undefined if it is installed. */
export async function nextRoot(
  desired: DesiredRoot,
  context: ReconciliationContext,
): Promise<Step | undefined> {
  const { certificateType, certificate } = desired;
  const installed = await installedOf(certificateType, context);
  if (installed.some((one) => isOf(one, certificate))) return undefined;
  const subject = readCertificates(certificate)?.[0]?.subject.replaceAll('\n', ', ') ?? '';
  const answer = answerTo('InstallCertificate', context.last);
  if (answer && isSamePem((context.last?.request as { certificate?: string }).certificate, certificate))
    return { do: 'failed', reason: `${answer.reason}, for ${subject}` };
  return { do: 'send', action: 'InstallCertificate', request: desired, doing: `installs ${subject}` };
}

function installedOf(
  certificateType: DesiredRoot['certificateType'],
  { db, stationId }: ReconciliationContext,
): Promise<CertificateRow[]> {
  return installedCertificates.list(db, {
    stationId,
    certificateType,
    list: 'ocpp',
    after: null,
    rows: MAX_CERTIFICATES,
  });
}

// Certificates that only the station has reported are identified by serial number; those that Evander sent, by content.
function isOf({ pem, serialNumber }: CertificateRow, certificate: string): boolean {
  if (pem !== null) return isSamePem(pem, certificate);
  const [desired] = readCertificates(certificate) ?? [];
  return desired !== undefined && serialKey(desired.serialNumber) === serialKey(serialNumber);
}

function isSamePem(one: string | undefined, other: string): boolean {
  try {
    return (
      one !== undefined &&
      new X509Certificate(one).fingerprint256 === new X509Certificate(other).fingerprint256
    );
  } catch {
    return false;
  }
}

function isSameCertificate(request: object | undefined, hashData: CertificateHashData): boolean {
  const sent = (request as { certificateHashData?: CertificateHashData } | undefined)?.certificateHashData;
  return sent?.serialNumber === hashData.serialNumber && sent.issuerKeyHash === hashData.issuerKeyHash;
}
