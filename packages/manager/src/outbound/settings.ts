import { setting } from '@evander/process';

/** The variables of outbound requests. */
export const OUTBOUND_SETTINGS = {
  outboundPrivate: setting(
    'EVANDER_OUTBOUND_PRIVATE',
    ['allow', 'refuse'],
    'refuse',
    'Whether to allow outbound requests (webhooks, OCSP responders) to private addresses',
  ),
};
