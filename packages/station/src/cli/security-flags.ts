import { readFileSync } from 'node:fs';
import type { FleetOptions } from '../fleet/fleet.ts';
import type { StationOptions } from '../options/station-options.ts';
import { UsageError } from '../options/usage-error.ts';

/** The command line's options for security profiles, certificates and Plug & Charge. */
export const SECURITY_FLAGS = {
  'security-profile': { type: 'string' },
  'wss-url': { type: 'string' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  'serial-number': { type: 'string' },
  pnc: { type: 'string' },
} as const;

/** Their text for --help. */
export const SECURITY_HELP = `\
  --security-profile N      1 Basic over ws, 2 Basic over wss, 3 client certificate over wss (0: as --url says)
  --wss-url URL             endpoint of profiles 2 and 3, where it is not --url; the CSMS may raise the profile
  --ca FILE                 PEM roots for the certificate of the CSMS (Node's own)
  --cert FILE, --key FILE   PEM client certificate, leaf first, and its key; {id} is the station's id
  --serial-number TEXT      in BootNotification, and as CN in CSRs; {id} is the station's id ({id})
  --pnc DIALECT             Plug & Charge: oca or has2be
`;

type Values = { readonly [F in keyof typeof SECURITY_FLAGS]?: string | undefined };
type Connecting = Values & { url: string; password?: string | undefined };

/** Throws UsageError; for an unreadable file only when its station is created. */
export function readSecurityFlags(
  values: Connecting,
): Pick<FleetOptions, 'configuration' | 'endpoints' | 'pnc' | 'own'> {
  const { pnc, 'security-profile': profile, 'wss-url': wss } = values;
  if (pnc !== undefined && pnc !== 'oca' && pnc !== 'has2be')
    throw new UsageError(`--pnc ${pnc}: give oca or has2be`);
  if (wss !== undefined && !(URL.canParse(wss) && new URL(wss).protocol === 'wss:'))
    throw new UsageError(`--wss-url ${wss}: give a wss:// URL`);
  if ((values.cert === undefined) !== (values.key === undefined))
    throw new UsageError('--cert and --key go together: give both, or neither');
  if (profile !== undefined) checkProfile(profile, values);
  return {
    own: (stationId) => ownOptions(values, stationId),
    ...(profile !== undefined && { configuration: { SecurityProfile: profile } }),
    ...(wss !== undefined && { endpoints: { wss } }),
    ...(pnc !== undefined && { pnc }),
  };
}

function checkProfile(text: string, values: Connecting): void {
  const profile = Number(text);
  const isWss = values.url.startsWith('wss:') || values['wss-url'] !== undefined;
  const fault = () => {
    if (!/^[0-3]$/.test(text)) return ': give 0, 1, 2 or 3';
    if ((profile === 1 || profile === 2) && values.password === undefined) return ' needs --password';
    if (profile >= 2 && !isWss) return ' needs --wss-url, or a wss:// URL as --url';
    return profile === 3 && values.cert === undefined ? ' needs --cert and --key' : undefined;
  };
  const found = fault();
  if (found !== undefined) throw new UsageError(`--security-profile ${text}${found}`);
}

function ownOptions(values: Values, stationId: string): Pick<StationOptions, 'tls' | 'serialNumber'> {
  const read = (flag: 'ca' | 'cert' | 'key') => {
    const path = values[flag]?.replaceAll('{id}', stationId);
    return path === undefined ? {} : { [flag]: readFile(flag, path) };
  };
  const serialNumber = values['serial-number']?.replaceAll('{id}', stationId);
  return {
    tls: { ...read('ca'), ...read('cert'), ...read('key') },
    ...(serialNumber !== undefined && { serialNumber }),
  };
}

function readFile(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--${flag} ${path}: it cannot be read: ${(error as Error).message}`);
  }
}
