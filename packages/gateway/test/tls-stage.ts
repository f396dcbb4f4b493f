import { hashStationPassword } from '@evander/process';
import type { KeyPair, OpenSsl } from '../../../test/openssl.ts';
import type { CertificateSource, GatewayOptions } from '../src/index.ts';
import { credentials, openStage, PEPPER } from './harness.ts';

/** A certificate for the gateway. */
export function serverKeys(openssl: OpenSsl, root: KeyPair, keyType: 'rsa' | 'ec' = 'ec'): Promise<KeyPair> {
  return openssl.certificate({
    subject: '/O=Test/CN=localhost',
    issuer: root,
    extensions: ['subjectAltName=IP:127.0.0.1'],
    keyType,
  });
}

/** A certificate for station CP1. */
export function stationKeys(openssl: OpenSsl, root: KeyPair): Promise<KeyPair> {
  return openssl.certificate({ subject: '/O=Test/CN=CP1', issuer: root });
}

/** A fixed set of gateway certificates. */
export function certificatesOf(...pairs: KeyPair[]): CertificateSource {
  return {
    load: async () => ({
      cert: pairs.map(({ certificate }) => certificate),
      key: pairs.map(({ key }) => key),
    }),
    isStale: async () => false,
  };
}

export const OCPP16 = { 'sec-websocket-protocol': 'ocpp1.6' };
export const PASSWORD = 'a password';

/** Headers for a handshake of CP1 with a password. */
export function basic(password = PASSWORD): Record<string, string> {
  return { ...OCPP16, authorization: `Basic ${Buffer.from(`CP1:${password}`).toString('base64')}` };
}

/** A gateway with TLS and a station of this profile, for which any certificate is valid. */
export function openTlsStage(
  certificates: CertificateSource,
  securityProfile: number,
  more: Partial<GatewayOptions> = {},
) {
  return openStage({
    certificates,
    credentialsOf: async (stationId, certificate) =>
      credentials(stationId, {
        securityProfile,
        passwordHashes: [hashStationPassword(Buffer.from(PASSWORD), stationId, PEPPER)],
        ...(certificate && { certificate: { fault: null } }),
      }),
    ...more,
  });
}
