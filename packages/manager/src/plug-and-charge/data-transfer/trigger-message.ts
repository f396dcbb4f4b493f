import type { PncCommand } from './tunnel.ts';

/** No hooks: the triggered message, a SignCertificate for the V2G certificate, arrives on its own. */
export const triggerMessage: PncCommand<'TriggerMessage'> = {};
