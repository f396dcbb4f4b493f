import { idTagInfoOf } from '../../authorization/authorize.ts';
import type { IdTagInfo } from '../../authorization/authorize.ts';
import { emaidKey } from '../../authorization/emaid.ts';
import * as tags from '../../authorization/tags.store.ts';
import type { Tag } from '../../authorization/tags.store.ts';
import * as pncAuthorizations from '../authorizations.store.ts';
import type { CertificateEvaluation } from '../plug-and-charge.ts';
import type { PncMessage, PncResponses } from './tunnel.ts';

type Response = PncResponses['Authorize'];

/** The contract is a tag: the tag decides who may charge, and the certificate only proves the identity (PnC.7, PnC.8). */
export const authorize: PncMessage<'Authorize'> = {
  async handle(request, context) {
    const { stationId, messageId, receivedAt, dialect, database, now, pnc } = context;
    const emaid = request.idToken.idToken;
    const tag = await tags.find(database, emaid);
    const idTagInfo = idTagInfoOf(tag, now());
    const { certificate, iso15118CertificateHashData: hashData = [] } = request;
    const evaluation = await pnc.checkContract({
      emaid,
      ...(certificate !== undefined && certificate !== '' && { certificate }),
      hashData,
    });
    const response = decide(evaluation, idTagInfo);
    await pncAuthorizations.add(database, {
      stationId,
      receivedAt,
      messageId,
      dialect,
      emaid,
      emaidKey: emaidKey(emaid) ?? tags.tagKey(emaid),
      idTag: tag?.idTag ?? null,
      status: response.idTokenInfo.status,
      certificateStatus: response.certificateStatus ?? null,
      reason: reasonOf(evaluation, tag, idTagInfo),
    });
    return response;
  },
};

function decide(evaluation: CertificateEvaluation | undefined, idTagInfo: IdTagInfo): Response {
  const { status, expiryDate } = idTagInfo;
  const expiry = expiryDate === undefined ? {} : { cacheExpiryDateTime: expiryDate };
  // The station sent nothing to check: the contract alone decides.
  if (!evaluation) return { idTokenInfo: { status, ...expiry } };
  const isCancelled = evaluation.status === 'Accepted' && status === 'Expired';
  const certificateStatus = isCancelled ? 'ContractCancelled' : evaluation.status;
  const isRefused = certificateStatus !== 'Accepted' && status === 'Accepted';
  return { certificateStatus, idTokenInfo: { status: isRefused ? 'Blocked' : status, ...expiry } };
}

function reasonOf(
  evaluation: CertificateEvaluation | undefined,
  tag: Tag | undefined,
  { status }: IdTagInfo,
): string | null {
  if (evaluation && evaluation.status !== 'Accepted') return evaluation.reason;
  if (!tag) return 'no tag has this eMAID';
  return status === 'Accepted' ? null : `tag ${tag.idTag} is ${status}`;
}
