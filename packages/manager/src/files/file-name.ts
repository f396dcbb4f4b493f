const MAX_LENGTH = 255;
const MAX_IN_URL = 64;

/** What a file is called, from what a peer calls it: the last part of a path, without characters that no list should show. */
export function fileNameOf(text: string, fallback: string): string {
  const last = text.split(/[/\\]/).at(-1) ?? '';
  const shown = last
    .replace(/\p{Cc}/gu, '')
    .trim()
    .slice(0, MAX_LENGTH);
  return shown === '' || /^\.+$/.test(shown) ? fallback : shown;
}

/** A name that needs no encoding in a URL and keeps its ending: stations read URLs in many ways. */
export function nameInUrl(name: string): string {
  return name
    .replace(/[^A-Za-z\d._-]+/g, '_')
    .replace(/^\.+/, '_')
    .slice(-MAX_IN_URL);
}
