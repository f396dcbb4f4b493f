import type { Outbound } from '../outbound/outbound.ts';
import type { ContractCertificateProvider, ContractCertificateRequest } from './contract-certificates.ts';

/** The response holds a few certificates and a key. */
const MAX_BYTES = 262_144;

export interface OpcpOptions {
  /** URL of the operation itself, such as https://…/v1/ccp/signedContractData. */
  url: string;
  /** A bearer token for the Authorization header; undefined if the pool requires none. */
  token?(signal: AbortSignal, options?: { isRefused: boolean }): Promise<string>;
  request: Outbound;
}

interface SignedContractData {
  CCPResponse?: { emaidContent?: { messageDef?: { certificateInstallationRes?: unknown } }[] };
}

/**
 * A pool of contract certificates that implements the Open Plug&Charge Protocol, such as Hubject's. Its one operation takes the EV's
 * EXI request and returns the EXI response for the EV.
 */
export function opcpProvider({ url, token, request }: OpcpOptions): ContractCertificateProvider {
  const post = async (
    { exiRequest, schemaVersion, signal }: ContractCertificateRequest,
    isRefused: boolean,
  ) => {
    const authorization = token ? { authorization: `Bearer ${await token(signal, { isRefused })}` } : {};
    return request(url, {
      method: 'POST',
      headers: { ...authorization, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ certificateInstallationReq: exiRequest, xsdMsgDefNamespace: schemaVersion }),
      maxBytes: MAX_BYTES,
      signal,
    });
  };
  return {
    async get15118EVCertificate(certificateRequest) {
      let response = await post(certificateRequest, false);
      // The token was revoked before it expired.
      if (response.status === 401 && token) response = await post(certificateRequest, true);
      if (response.status !== 200)
        throw new Error(`the pool of contract certificates responded with status ${response.status}`);
      return readExi(response.body);
    },
  };
}

/** The EXI for the EV's first contract: an EV may have several contracts but accepts one. */
function readExi(body: Buffer): string {
  const contents = parse(body)?.CCPResponse?.emaidContent;
  for (const content of Array.isArray(contents) ? contents : []) {
    const exi = content?.messageDef?.certificateInstallationRes;
    if (typeof exi === 'string' && exi !== '') return exi;
  }
  throw new Error('the pool of contract certificates has none for this EV');
}

function parse(body: Buffer): SignedContractData | undefined {
  try {
    return (JSON.parse(body.toString()) as SignedContractData | null) ?? undefined;
  } catch (error) {
    throw new Error('the response of the pool of contract certificates is not JSON', { cause: error });
  }
}
