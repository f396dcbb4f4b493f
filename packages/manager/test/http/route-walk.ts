import type { RouteAccess } from '../../src/api-keys/authentication.ts';

/** Routes that are open to anyone on purpose. */
const OPEN = ['/', '/health/live', '/health/ready', '/metrics', '/openapi.json', '/docs'];
/** For clients that check Evander's certificates; OCSP requests may be posted. */
const OPEN_PKI = [
  '/pki/root.pem',
  '/pki/v2g-root.pem',
  '/pki/crl',
  '/pki/v2g-crl',
  '/pki/ocsp',
  '/pki/ocsp/*',
];
/** Downloads and uploads of stations: the token in the path authorizes them. */
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

/** The path of a route, with ids that do not exist. */
export function pathOf({ url }: RouteAccess, places: Record<string, string> = {}): string {
  return url.replace(/:(\w+)|\*/g, (all, name: string | undefined) => {
    const place = name ?? all;
    return places[place] ?? PLACES[place] ?? '1';
  });
}

/** A valid body for the method that changes nothing. */
export function bodyOf({ method }: RouteAccess): object | undefined {
  return ['PUT', 'POST', 'PATCH'].includes(method) ? {} : undefined;
}
