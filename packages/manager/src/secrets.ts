const HIDDEN = '***';

type Json = Record<string, unknown>;

/**
 * A payload without its secrets, for records, lists and logs: the AuthorizationKey, and passwords and tokens in URLs. The very same object when
 * it has none.
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

/** A URL without the token that lets whoever has it fetch or bring files. */
export function withoutToken(url: string): string {
  return url.replace(/\/(files|uploads)\/evl_[\w-]{24}/, `/$1/${HIDDEN}`);
}

/** CiString: the key is the same in any case. */
export function isAuthorizationKey(key: unknown): boolean {
  return typeof key === 'string' && key.toLowerCase() === 'authorizationkey';
}

function isSecretKey(entry: object): boolean {
  return 'key' in entry && isAuthorizationKey(entry.key);
}

function withUrl<P extends object>(payload: P, field: string): P {
  const url = (payload as Json)[field];
  if (typeof url !== 'string') return payload;
  const hidden = withoutToken(url).replace(/^([a-z][a-z\d+.-]*:\/\/[^/?#@]*?):[^/?#]*@/i, `$1:${HIDDEN}@`);
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
