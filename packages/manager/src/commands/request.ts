import type { CommandAction } from '@evander/ocpp';
import type { Redaction, Sealer } from '@evander/process';

/** How a request is kept: what may be shown of it, and all of it sealed where that is not the same. */
export function keepRequest(
  action: CommandAction,
  request: object,
  { sealer, redaction }: { sealer: Sealer; redaction: Redaction },
): { request: object; sealedRequest: Buffer | null } {
  const shown = redaction.request(action, request);
  return {
    request: shown,
    sealedRequest: shown === request ? null : sealer.seal(JSON.stringify(request)),
  };
}

/** The request as it was made. Throws when it was sealed with another secret than ours. */
export function openRequest(
  { request, sealedRequest }: { request: Record<string, unknown>; sealedRequest: Buffer | null },
  sealer: Sealer,
): Record<string, unknown> {
  return sealedRequest === null
    ? request
    : (JSON.parse(sealer.open(sealedRequest)) as Record<string, unknown>);
}
