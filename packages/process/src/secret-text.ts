const HIDDEN = '***';
const KEY = /authorizationkey/i;

/**
 * What may be shown of a text that cannot be read as JSON, a station's broken frame: nothing of the object that names an AuthorizationKey, nor
 * of what follows it, and no passwords of URLs.
 */
export function hideSecretText(text: string): string {
  const shown = text.replace(/([a-z][a-z\d+.-]*:\/\/[^/?#@\s"]*?):[^/?#\s"]*@/gi, `$1:${HIDDEN}@`);
  const at = shown.search(KEY);
  if (at >= 0) return shown.slice(0, Math.max(0, shown.lastIndexOf('{', at))) + HIDDEN;
  return KEY.test(unescaped(shown)) ? HIDDEN : shown;
}

function unescaped(text: string): string {
  return text.replace(/\\u([\da-f]{4})/gi, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
