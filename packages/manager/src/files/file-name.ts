const MAX_LENGTH = 255;
const MAX_IN_URL = 64;

/** A safe file name from a client's: the last part of the path without control characters; `fallback` if nothing is left. */
export function fileNameOf(text: string, fallback: string): string {
  const last = text.split(/[/\\]/).at(-1) ?? '';
  const shown = last
    .replace(/\p{Cc}/gu, '')
    .trim()
    .slice(0, MAX_LENGTH);
  return shown === '' || /^\.+$/.test(shown) ? fallback : shown;
}

/** A name that keeps its extension and needs no encoding in a URL, as stations parse URLs in different ways. */
export function nameInUrl(name: string): string {
  return name
    .replace(/[^A-Za-z\d._-]+/g, '_')
    .replace(/^\.+/, '_')
    .slice(-MAX_IN_URL);
}
