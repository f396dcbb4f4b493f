import { HandshakeRefused } from '../connection/call-errors.ts';

type SocketError = Error & { code?: string; hostname?: string; address?: string; port?: number };

/** Explains in one sentence why a connection failed and what helps. */
export function explainConnectionFault(error: Error): string {
  if (error instanceof HandshakeRefused) return explainRefusal(error);
  const [first = error] = ('errors' in error ? error.errors : []) as Error[];
  const { code = '', message, hostname, address, port } = first as SocketError;
  const explain = CODES[code];
  if (explain) return `${explain({ place: `${address}:${port}`, host: hostname ?? 'the host' })} (${code})`;
  const [, byMessage] = MESSAGES.find(([pattern]) => pattern.test(message)) ?? [];
  return byMessage === undefined ? message : `${byMessage} (${code || message})`;
}

type Place = { place: string; host: string };
const untrusted = () =>
  'the certificate of the CSMS is not trusted: give its root with --ca, or look whom you talk to';
const CODES: Record<string, (where: Place) => string> = {
  ECONNREFUSED: ({ place }) => `nothing listens at ${place}: start the CSMS, or correct --url`,
  ENOTFOUND: ({ host }) => `the host name ${host} is not known: correct --url`,
  EAI_AGAIN: ({ host }) =>
    `the host name ${host} cannot be resolved now: correct --url, or look at the network`,
  ETIMEDOUT: ({ place }) => `there is no answer from ${place}: look at firewall and address`,
  EHOSTUNREACH: ({ place }) => `there is no way to ${place}: look at network and address`,
  ENETUNREACH: ({ place }) => `there is no way to ${place}: look at network and address`,
  ECONNRESET: () => 'the CSMS cut the connection without an answer: does it speak TLS there (wss://)?',
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_HAS_EXPIRED: () => 'the certificate of the CSMS has expired',
  CERT_NOT_YET_VALID: () => 'the certificate of the CSMS is not valid yet: look at the clocks',
  ERR_TLS_CERT_ALTNAME_INVALID: () => 'the certificate of the CSMS is for another host than --url names',
};

const MESSAGES: [RegExp, string][] = [
  [/wrong version number|packet length too long/, 'no TLS is spoken there: use ws:// instead of wss://'],
  [/certificate required|bad certificate/, 'the CSMS wants a client certificate: give --cert and --key'],
  [/alert unknown ca/, 'the CSMS does not trust the client certificate of --cert'],
  [/alert|SSL routines|EPROTO/, 'no TLS connection came about: versions or ciphers do not fit'],
  [/subprotocol/, 'the CSMS does not agree to the subprotocol ocpp1.6'],
  [/handshake has timed out/, 'the CSMS did not answer the handshake in time'],
];

const STATUSES: Record<number, string> = {
  400: 'the CSMS does not take the handshake: look at the path of --url and the subprotocol',
  401: 'wrong password, or none: give the one that the CSMS has for this station with --password',
  403: 'the CSMS does not allow this security profile: look at --security-profile and --url',
  404: 'the CSMS knows no such station, or no such path: add the station there, or correct --url',
  426: 'the CSMS does not take the handshake: look at the path of --url',
  429: 'too many failed attempts: the CSMS makes the station wait',
  500: 'the CSMS has failed',
  502: 'the proxy does not reach the CSMS',
  503: 'the CSMS is not ready',
  504: 'the proxy does not reach the CSMS',
};

function explainRefusal({ status, says }: HandshakeRefused): string {
  const isRedirect = status >= 300 && status < 400;
  const other = isRedirect
    ? 'the CSMS sends elsewhere: use that address as --url'
    : 'what answers there is no CSMS: correct --url';
  const detail = says === '' ? '' : `, "${says}"`;
  return `${STATUSES[status] ?? other} (HTTP ${status}${detail})`;
}
