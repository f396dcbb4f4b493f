import type { Outbound } from '../outbound/outbound.ts';
import type { ContractCertificateProvider, ContractCertificateRequest } from './contract-certificates.ts';

/** The answer holds a few certificates and a key. */
const MAX_BYTES = 262_144;

export interface OpcpOptions {
  /** Of the operation itself, such as https://…/v1/ccp/signedContractData. */
  url: string;
  /** A bearer token for the Authorization header; none where the pool asks for none. */
  token?(signal: AbortSignal, options?: { isRefused: boolean }): Promise<string>;
  request: Outbound;
}

interface SignedContractData {
  CCPResponse?: { emaidContent?: { messageDef?: { certificateInstallationRes?: unknown } }[] };
}

/**
 * A pool of contract certificates by the Open Plug&Charge Protocol, such as Hubject's: one operation, which takes the EXI of the EV
 * and returns that for the EV.
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
    async get15118EVCertificate(desired) {
      let answer = await post(desired, false);
      // The token has been revoked before its time.
      if (answer.status === 401 && token) answer = await post(desired, true);
      if (answer.status !== 200)
        throw new Error(`the pool of contract certificates answered ${answer.status}`);
      return readExi(answer.body);
    },
  };
}

/** An EV may have several contracts; it takes one. */
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
    throw new Error('the pool of contract certificates answered no JSON', { cause: error });
  }
}
