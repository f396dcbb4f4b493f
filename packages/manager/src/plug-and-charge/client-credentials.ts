import type { Outbound } from '../outbound/outbound.ts';

/** A token is asked for again so long before it ends. */
const EARLY_MS = 30_000;
/** How long a token holds whose server does not say. */
const FALLBACK_SECONDS = 300;
const MAX_BYTES = 65_536;

export interface ClientCredentials {
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
  audience?: string;
}

/** Tokens by OAuth 2's client credentials (RFC 6749 §4.4), each used until it ends or is refused. */
export function tokenSource(
  { tokenUrl, clientId, clientSecret, audience }: ClientCredentials,
  { request, now }: { request: Outbound; now(): Date },
): (signal: AbortSignal, options?: { isRefused: boolean }) => Promise<string> {
  let known: { token: string; untilMs: number } | undefined;
  return async (signal, { isRefused } = { isRefused: false }) => {
    if (known && !isRefused && now().getTime() < known.untilMs) return known.token;
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    form.set('client_id', clientId);
    form.set('client_secret', clientSecret);
    if (audience !== undefined) form.set('audience', audience);
    const { status, body } = await request(tokenUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      maxBytes: MAX_BYTES,
      signal,
    });
    if (status !== 200) throw new Error(`the token server answered ${status}; check client id and secret`);
    const { access_token: token, expires_in: seconds } = readToken(body);
    const lifetimeMs = (typeof seconds === 'number' ? seconds : FALLBACK_SECONDS) * 1000;
    known = { token, untilMs: now().getTime() + lifetimeMs - EARLY_MS };
    return token;
  };
}

function readToken(body: Buffer): { access_token: string; expires_in?: unknown } {
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString());
  } catch (error) {
    throw new Error('the token server answered no JSON', { cause: error });
  }
  const token = (answer as { access_token?: unknown } | null)?.access_token;
  if (typeof token !== 'string' || token === '') throw new Error('the token server gave no access_token');
  return { ...(answer as object), access_token: token };
}
