import type { PncCommand } from './tunnel.ts';

/** What was asked for, a SignCertificate for the V2G certificate, comes by itself. */
export const triggerMessage: PncCommand<'TriggerMessage'> = {};
