import type { Outbound } from '../outbound/outbound.ts';

/** A token is renewed this long before it expires. */
const RENEW_BEFORE_MS = 30_000;
/** Lifetime of a token if the server does not state one. */
const FALLBACK_SECONDS = 300;
const MAX_BYTES = 65_536;

export interface ClientCredentials {
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
  audience?: string;
}

/** Obtains tokens by the OAuth 2 client credentials grant (RFC 6749 §4.4). Each token is used until it expires or is refused. */
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
    if (status !== 200)
      throw new Error(`the token server responded with status ${status}; check client id and secret`);
    const { access_token: token, expires_in: seconds } = readToken(body);
    const lifetimeMs = (typeof seconds === 'number' ? seconds : FALLBACK_SECONDS) * 1000;
    known = { token, untilMs: now().getTime() + lifetimeMs - RENEW_BEFORE_MS };
    return token;
  };
}

function readToken(body: Buffer): { access_token: string; expires_in?: unknown } {
  let response: unknown;
  try {
    response = JSON.parse(body.toString());
  } catch (error) {
    throw new Error("the token server's response is not JSON", { cause: error });
  }
  const token = (response as { access_token?: unknown } | null)?.access_token;
  if (typeof token !== 'string' || token === '')
    throw new Error("the token server's response has no access_token");
  return { ...(response as object), access_token: token };
}
