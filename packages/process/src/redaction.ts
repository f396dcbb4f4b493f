import { finderOf } from './find-text.ts';
import type { Range } from './find-text.ts';

/** Replaces a secret. */
export const HIDDEN = '***';

/** Shorter secrets are not searched for: ordinary texts contain them by chance. */
const MIN_SECRET_LENGTH = 6;
/** Evander's requests contain at most three. The answer to a request with more secrets than this is recorded without its content. */
const MAX_SECRETS = 20;

/** Ends the authority of a URL (RFC 3986 §3.2). */
const AUTHORITY_END = /[/?#]/g;
/** The same inside JSON, where the URL also ends with its string. */
const AUTHORITY_END_IN_JSON = /(?<!\\)"|[/?#]/g;
const AUTHORIZATION_KEY = /authorizationkey/i;

type Json = Record<string, unknown>;
type Replacement = [secret: string, shown: string];

/**
 * Hides secrets in recorded payloads: OCPP's own secrets (`withoutSecrets`), echoes of them in a station's answer, and the data of
 * configured DataTransfers. Payloads must not be nested more deeply than the call stack allows.
 */
export class Redaction {
  readonly #hiddenData: ReadonlySet<string>;

  /** `vendorId`, `vendorId/messageId`, or `*` for all; case-insensitive. */
  constructor(hiddenDataTransfers: readonly string[] = []) {
    this.#hiddenData = new Set(hiddenDataTransfers.map((name) => name.toLowerCase()));
  }

  /** Redacts a request; returns the same object when it contains no secret. */
  request<P extends object>(action: string | null, payload: P): P {
    const shown = withoutSecrets(action, payload);
    if (action !== 'DataTransfer' || !this.#hidesDataOf(payload)) return shown;
    return withoutData(shown);
  }

  /** Redacts the payload of an answer, or an error's details; `request` is the answered request. */
  answer<P extends object>(action: string | null, payload: P, request: object | undefined): P {
    let shown = withoutSecrets(action, payload);
    if (action === 'DataTransfer' && request && this.#hidesDataOf(request)) shown = withoutData(shown);
    if (action === 'ChangeConfiguration' || action === 'GetConfiguration') shown = withoutKeys(shown) as P;
    const replacements = request ? this.#replacements(action, request) : [];
    if (replacements.length === 0) return shown;
    if (replacements.length > MAX_SECRETS) return {} as P;
    return mapTexts(shown, replacerOf(replacements)) as P;
  }

  /** Redacts an error's description. */
  text(action: string | null, text: string, request: object | undefined): string {
    const replacements = request ? this.#replacements(action, request) : [];
    if (replacements.length > MAX_SECRETS) return HIDDEN;
    return replacerOf(replacements)(text);
  }

  #hidesDataOf(request: object): boolean {
    if (this.#hiddenData.size === 0) return false;
    const { vendorId, messageId } = request as Json;
    const vendor = String(vendorId).toLowerCase();
    const message = `${vendor}/${typeof messageId === 'string' ? messageId.toLowerCase() : ''}`;
    return ['*', vendor, message].some((name) => this.#hiddenData.has(name));
  }

  // The request's secrets and their replacements.
  #replacements(action: string | null, request: object): Replacement[] {
    const found: Replacement[] = [];
    collectSecrets(request, this.request(action, request), found);
    return found;
  }
}

/**
 * Removes secrets from a payload for records, lists and logs: the AuthorizationKey, and passwords and tokens in URLs. Returns the same
 * object when there are none.
 */
export function withoutSecrets<P extends object>(action: string | null, payload: P): P {
  switch (action) {
    case 'ChangeConfiguration':
      return isSecretKey(payload) && 'value' in payload ? { ...payload, value: HIDDEN } : payload;
    case 'GetConfiguration':
      return withList(payload, 'configurationKey', (entry) =>
        isSecretKey(entry) && entry.value !== undefined ? { ...entry, value: HIDDEN } : entry,
      );
    case 'GetDiagnostics':
    case 'UpdateFirmware':
      return withUrl(payload, 'location');
    case 'GetLog':
      return withInner(payload, 'log', (log) => withUrl(log, 'remoteLocation'));
    case 'SignedUpdateFirmware':
      return withInner(payload, 'firmware', (firmware) => withUrl(firmware, 'location'));
    default:
      return payload;
  }
}

/** Removes the token that permits downloads or uploads from a URL. */
export function withoutToken(url: string): string {
  return url.replace(/\/(files|uploads)\/evl_[\w-]{24}/, `/$1/${HIDDEN}`);
}

/** CiString: keys are case-insensitive. */
export function isAuthorizationKey(key: unknown): boolean {
  return typeof key === 'string' && key.toLowerCase() === 'authorizationkey';
}

/**
 * Redacts the text of a malformed frame that is not JSON: removes passwords in URLs, and any object that names an AuthorizationKey together
 * with everything after it. Truncate the result, not the input: half a secret cannot be recognised.
 */
export function hideSecretText(text: string): string {
  const shown = hideInJson(text);
  const unescaped = shown.replace(/\\(?:u([\da-f]{4})|\/)/gi, (_all, hex?: string) =>
    hex === undefined ? '/' : String.fromCharCode(parseInt(hex, 16)),
  );
  const shownUnescaped = hideInJson(unescaped);
  return shownUnescaped === unescaped ? shown : shownUnescaped;
}

function hideInJson(text: string): string {
  const shown = replaceRanges(text, passwordsIn(text, AUTHORITY_END_IN_JSON));
  const at = shown.search(AUTHORIZATION_KEY);
  return at < 0 ? shown : shown.slice(0, Math.max(0, shown.lastIndexOf('{', at))) + HIDDEN;
}

/**
 * Finds the passwords of URLs in a text. In JSON, a truncated authority may have lost its `@`: then the text after its `:` counts as a
 * password.
 */
function passwordsIn(text: string, authorityEnd: RegExp): Range[] {
  const found: Range[] = [];
  for (let scheme = text.indexOf('://'); scheme >= 0;) {
    const start = scheme + 3;
    authorityEnd.lastIndex = start;
    const end = authorityEnd.exec(text)?.index ?? text.length;
    const authority = text.slice(start, end);
    const colon = authority.indexOf(':');
    const at = authority.lastIndexOf('@');
    if (colon >= 0 && colon < at) found.push({ start: start + colon + 1, end: start + at });
    else if (colon >= 0 && end === text.length && authorityEnd === AUTHORITY_END_IN_JSON)
      found.push({ start: start + colon + 1, end });
    // The colon of the next `://` may be the last character of this authority.
    scheme = text.indexOf('://', Math.max(start, end - 1));
  }
  return found;
}

function replaceRanges(text: string, ranges: readonly Range[], shown = HIDDEN): string {
  if (ranges.length === 0) return text;
  const parts: string[] = [];
  let from = 0;
  for (const { start, end } of ranges) {
    parts.push(text.slice(from, start), shown);
    from = end;
  }
  return parts.join('') + text.slice(from);
}

function isSecretKey(entry: object): boolean {
  return 'key' in entry && isAuthorizationKey(entry.key);
}

function withUrl<P extends object>(payload: P, field: string): P {
  const url = (payload as Json)[field];
  if (typeof url !== 'string') return payload;
  const withoutPassword = replaceRanges(url, passwordsIn(url, AUTHORITY_END));
  const hidden = withoutToken(withoutPassword);
  return hidden === url ? payload : { ...payload, [field]: hidden };
}

function withInner<P extends object>(payload: P, field: string, hide: (inner: Json) => Json): P {
  const inner = (payload as Json)[field];
  if (typeof inner !== 'object' || inner === null) return payload;
  const hidden = hide(inner as Json);
  return hidden === inner ? payload : { ...payload, [field]: hidden };
}

function withList<P extends object>(payload: P, field: string, hide: (entry: Json) => Json): P {
  const list = (payload as Json)[field];
  if (!Array.isArray(list)) return payload;
  const hidden = list.map((entry: unknown) =>
    typeof entry === 'object' && entry !== null ? hide(entry as Json) : entry,
  );
  return hidden.every((entry, i) => entry === list[i]) ? payload : { ...payload, [field]: hidden };
}

function withoutData<P extends object>(payload: P): P {
  return 'data' in payload ? { ...payload, data: HIDDEN } : payload;
}

/** Removes the values of AuthorizationKeys at any depth and in any form. */
function withoutKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutKeys);
  if (typeof value !== 'object' || value === null) return value;
  const isSecret = 'key' in value && typeof value.key === 'string' && isAuthorizationKey(value.key.trim());
  const entries = Object.entries(value).map(([name, inner]) => {
    const isHidden = (isSecret && name === 'value') || isAuthorizationKey(name.trim());
    return [name, isHidden ? HIDDEN : withoutKeys(inner)];
  });
  return Object.fromEntries(entries) as unknown;
}

/** Collects the parts of `original` that `shown` hides. Stops when there are too many to search for. */
function collectSecrets(original: unknown, shown: unknown, found: Replacement[]): void {
  if (original === shown || found.length > MAX_SECRETS) return;
  if (typeof original === 'string' && typeof shown === 'string') found.push(...secretsIn(original, shown));
  if (typeof original !== 'object' || original === null || typeof shown !== 'object' || shown === null)
    return;
  for (const [name, inner] of Object.entries(original)) collectSecrets(inner, (shown as Json)[name], found);
}

// For a URL, the whole text and each password on its own, as sent and decoded.
function secretsIn(text: string, shown: string): Replacement[] {
  const passwords = passwordsIn(text, AUTHORITY_END)
    .slice(0, MAX_SECRETS + 1)
    .map(({ start, end }) => text.slice(start, end));
  const hidden = [...passwords, ...passwords.map(decoded)].map((secret): Replacement => [secret, HIDDEN]);
  return [[text, shown] satisfies Replacement, ...hidden].filter(
    ([secret]) => secret.length >= MIN_SECRET_LENGTH,
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Replaces every text in a value, including property names and numbers that contain a secret. */
function mapTexts(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === 'string') return replace(value);
  if (typeof value === 'number') return replace(String(value)) === String(value) ? value : HIDDEN;
  if (Array.isArray(value)) return value.map((inner) => mapTexts(inner, replace));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [replace(name), mapTexts(inner, replace)]);
  return Object.fromEntries(entries) as unknown;
}

// Stations may change the case of hexadecimal keys.
function replacerOf(replacements: readonly Replacement[]): (text: string) => string {
  const searches = replacements.map(
    ([secret, shown]) => [finderOf(foldCase(secret)), shown, secret.length] as const,
  );
  return (text) =>
    searches.reduce(
      (so, [find, shown, length]) => (so.length < length ? so : replaceRanges(so, find(foldCase(so)), shown)),
      text,
    );
}

/** Lower-cases ASCII letters. Unlike toLowerCase, it never moves a character. */
function foldCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
