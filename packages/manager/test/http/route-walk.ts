import type { RouteAccess } from '../../src/api-keys/authentication.ts';

/** Open to anyone, by intent. */
const OPEN = ['/', '/health/live', '/health/ready', '/metrics', '/openapi.json', '/docs'];
/** What whoever checks our certificates asks; an OCSP request may be posted. */
const OPEN_PKI = [
  '/pki/root.pem',
  '/pki/v2g-root.pem',
  '/pki/crl',
  '/pki/v2g-crl',
  '/pki/ocsp',
  '/pki/ocsp/*',
];
/** Where stations fetch and bring files: the token in the path is the key. */
const LINKS = { '/files/:token/:name': ['GET', 'HEAD'], '/uploads/*': ['PUT', 'POST'] };
const PLACES: Record<string, string> = {
  keyId: '00000000-0000-0000-0000-000000000000',
  commandId: '00000000-0000-0000-0000-000000000000',
  jobId: '00000000-0000-0000-0000-000000000000',
  stationId: 'nobody',
  idTag: 'NOBODY',
  '*': 'index.css',
};

export function isMeantToBeOpen({ method, url }: RouteAccess): boolean {
  if (OPEN_PKI.includes(url))
    return ['GET', 'HEAD'].includes(method) || (method === 'POST' && url === '/pki/ocsp');
  const link = Object.entries(LINKS).find(([path]) => path === url);
  if (link) return link[1].includes(method);
  return ['GET', 'HEAD'].includes(method) && (OPEN.includes(url) || url.startsWith('/docs/'));
}

/** The path of a route, with values in it that name nothing. */
export function pathOf({ url }: RouteAccess, places: Record<string, string> = {}): string {
  return url.replace(/:(\w+)|\*/g, (all, name: string | undefined) => {
    const place = name ?? all;
    return places[place] ?? PLACES[place] ?? '1';
  });
}

/** A body that the method may have; it changes nothing. */
export function bodyOf({ method }: RouteAccess): object | undefined {
  return ['PUT', 'POST', 'PATCH'].includes(method) ? {} : undefined;
}
