import type { StationContext } from '../context/station-context.ts';

/** Downloads a file with GET, or pretends to without real transfers. */
export async function download(
  station: StationContext,
  location: string,
  signal: AbortSignal,
): Promise<Buffer> {
  requireProtocol(station, location);
  if (station.options.transfers !== 'real') return Buffer.alloc(0);
  const response = await fetch(location, { signal });
  if (!response.ok) throw new Error(`GET ${location} was answered ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  station.emit('fetched', { location, bytes });
  return bytes;
}

/** Uploads a file to the directory with PUT, or pretends to without real transfers. */
export async function upload(
  station: StationContext,
  directory: string,
  file: { name: string; text: string; signal: AbortSignal },
): Promise<void> {
  requireProtocol(station, directory);
  if (station.options.transfers !== 'real') return;
  const url = fileUrl(directory, file.name, station.quirks.glueFileName ? '' : '/');
  const response = await fetch(url, { method: 'PUT', body: file.text, signal: file.signal });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`PUT ${url.href} was answered ${response.status}`);
}

function fileUrl(directory: string, name: string, separator: string): URL {
  const url = new URL(directory);
  const glue = url.pathname.endsWith('/') ? '' : separator;
  url.pathname += glue + encodeURIComponent(name);
  return url;
}

function requireProtocol({ configuration }: StationContext, location: string): void {
  const protocol = new URL(location).protocol.replace(':', '').toUpperCase();
  if (!configuration.list('SupportedFileTransferProtocols').includes(protocol))
    throw new Error(`this station has no ${protocol}`);
}
