import { HIDDEN, isAuthorizationKey, withoutSecrets } from './secrets.ts';

type Json = Record<string, unknown>;
type Replacement = [secret: string, shown: string];

/** What is shorter is found by chance in texts that hold no secret. */
const SHORTEST_SECRET = 6;

/**
 * Hides secrets in what is recorded: those that everybody has (`withoutSecrets`), wherever a station echoes them in its answer, and the
 * data of those vendors' DataTransfers that an operator names.
 */
export class Redaction {
  readonly #hiddenData: ReadonlySet<string>;

  /** `vendorId`, `vendorId/messageId`, or `*` for all; in any case. */
  constructor(hiddenDataTransfers: readonly string[] = []) {
    this.#hiddenData = new Set(hiddenDataTransfers.map((name) => name.toLowerCase()));
  }

  /** A request as it may be shown; the very same object when it holds no secret. */
  request<P extends object>(action: string | null, payload: P): P {
    const shown = withoutSecrets(action, payload);
    if (action !== 'DataTransfer' || !this.#hidesDataOf(payload)) return shown;
    return withoutData(shown);
  }

  /** The payload of an answer, or an error's details, as it may be shown; `request` is what it answers. */
  answer<P extends object>(action: string | null, payload: P, request: object | undefined): P {
    let shown = withoutSecrets(action, payload);
    if (action === 'DataTransfer' && request && this.#hidesDataOf(request)) shown = withoutData(shown);
    if (action === 'ChangeConfiguration' || action === 'GetConfiguration') shown = withoutKeys(shown) as P;
    const replacements = request ? this.#replacements(action, request) : [];
    if (replacements.length === 0) return shown;
    const escaped = replacements.map((pair) => pair.map((text) => JSON.stringify(text).slice(1, -1)));
    return JSON.parse(replaceAll(JSON.stringify(shown), escaped as Replacement[])) as P;
  }

  /** An error's description as it may be shown. */
  text(action: string | null, text: string, request: object | undefined): string {
    return request ? replaceAll(text, this.#replacements(action, request)) : text;
  }

  #hidesDataOf(request: object): boolean {
    if (this.#hiddenData.size === 0) return false;
    const { vendorId, messageId } = request as Json;
    const vendor = String(vendorId).toLowerCase();
    const message = `${vendor}/${typeof messageId === 'string' ? messageId.toLowerCase() : ''}`;
    return ['*', vendor, message].some((name) => this.#hiddenData.has(name));
  }

  // What the request hides, and what is shown of it.
  #replacements(action: string | null, request: object): Replacement[] {
    const shown = this.request(action, request);
    return shown === request ? [] : differences(request, shown);
  }
}

function withoutData<P extends object>(payload: P): P {
  return 'data' in payload ? { ...payload, data: HIDDEN } : payload;
}

/** Without the values of AuthorizationKeys, at whatever depth and in whatever form a station puts them. */
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

function differences(original: unknown, shown: unknown): Replacement[] {
  if (typeof original === 'string' && typeof shown === 'string')
    return original === shown ? [] : secretsIn(original, shown);
  if (typeof original !== 'object' || original === null) return [];
  if (typeof shown !== 'object' || shown === null) return [];
  return Object.entries(original).flatMap(([name, inner]) => differences(inner, (shown as Json)[name]));
}

// Of a URL the whole and the password by itself.
function secretsIn(text: string, shown: string): Replacement[] {
  const password = /^[a-z][a-z\d+.-]*:\/\/[^/?#@]*?:([^/?#]*)@/i.exec(text)?.[1];
  const all: Replacement[] = [[text, shown]];
  if (password !== undefined) all.push([password, HIDDEN], [decoded(password), HIDDEN]);
  return all.filter(([secret]) => secret.length >= SHORTEST_SECRET);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// Stations write hexadecimal keys in one case or the other.
function replaceAll(text: string, replacements: Replacement[]): string {
  return replacements.reduce((so, [secret, shown]) => {
    const pattern = secret.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return so.replace(new RegExp(pattern, 'gi'), () => shown);
  }, text);
}
