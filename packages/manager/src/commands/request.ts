import type { CommandAction } from '@evander/ocpp';
import type { Redaction, Sealer } from '@evander/process';

/** A request as it is stored: redacted, and, if that removes something, the full request sealed. */
export function storedRequest(
  action: CommandAction,
  request: object,
  { sealer, redaction }: { sealer: Sealer; redaction: Redaction },
): { request: object; sealedRequest: Buffer | null } {
  const redacted = redaction.request(action, request);
  return {
    request: redacted,
    sealedRequest: redacted === request ? null : sealer.seal(JSON.stringify(request)),
  };
}

/** The full request. Throws if it was sealed with another secret. */
export function openRequest(
  { request, sealedRequest }: { request: Record<string, unknown>; sealedRequest: Buffer | null },
  sealer: Sealer,
): Record<string, unknown> {
  return sealedRequest === null
    ? request
    : (JSON.parse(sealer.open(sealedRequest)) as Record<string, unknown>);
}
