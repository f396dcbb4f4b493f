import { request } from 'node:https';
import { Certificate } from './certificate.ts';
import { childAt, childrenOf, readDer, TAG } from './der.ts';
import { derOf } from './x509.ts';

export interface EstOptions {
  /** Including the label, if any: https://est.example/.well-known/est */
  url: string;
  user?: string;
  password?: string;
  /** PEM roots for the server certificate; unset: the public roots. */
  ca?: string;
  timeoutMs?: number;
}

/** The EST server failed; the message contains its answer. */
export class EstError extends Error {
  override name = 'EstError';
}

const TIMEOUT_MS = 15_000;
const MAX_BYTES = 200_000;

interface Answer {
  status: number;
  retryAfter: string | undefined;
  body: string;
}

/** A client of an external authority (RFC 7030). */
export class EstClient {
  readonly #options: EstOptions;

  constructor(options: EstOptions) {
    this.#options = options;
  }

  /** Returns the authority's own certificates, PEM. Rejects with EstError. */
  async caCertificates(): Promise<Certificate[]> {
    return certificatesIn((await this.#ask('cacerts')).body);
  }

  /** Requests a certificate: returns the chain in PEM, the new certificate first, or how long to wait. Rejects with EstError. */
  async simpleEnroll(csr: string): Promise<{ chainPem: string } | { retryAfterSeconds: number }> {
    const { status, retryAfter, body } = await this.#ask('simpleenroll', derOf(csr).toString('base64'));
    if (status === 202) return { retryAfterSeconds: Number(retryAfter) || 0 };
    const [own] = certificatesIn(body);
    if (!own) throw new EstError('the EST server sent no certificate');
    return { chainPem: await this.#chainOf(own) };
  }

  // The answer contains only the leaf (RFC 7030 §4.2.3).
  async #chainOf(own: Certificate): Promise<string> {
    const authorities = await this.caCertificates();
    const chain = [own];
    for (let last = own; !last.isSelfIssued && chain.length < 10;) {
      const issuer = authorities.find((one) => last.isIssuedBy(one));
      if (!issuer || issuer.isSelfIssued) break;
      chain.push(issuer);
      last = issuer;
    }
    return chain.map(({ pem }) => pem).join('');
  }

  async #ask(operation: string, body?: string): Promise<Answer> {
    const { url, user, password } = this.#options;
    const target = `${url.replace(/\/$/, '')}/${operation}`;
    const headers = {
      ...(body !== undefined && {
        'content-type': 'application/pkcs10',
        'content-transfer-encoding': 'base64',
        'content-length': String(Buffer.byteLength(body)),
      }),
      ...(user !== undefined && {
        authorization: `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}`,
      }),
    };
    let answer: Answer;
    try {
      answer = await this.#exchange(target, headers, body);
    } catch (cause) {
      throw new EstError(`${target} cannot be reached: ${String(cause)}`, { cause });
    }
    if (answer.status === 200 || answer.status === 202) return answer;
    throw new EstError(`${target} answered ${answer.status}: ${answer.body.slice(0, 200)}`);
  }

  #exchange(target: string, headers: Record<string, string>, body: string | undefined): Promise<Answer> {
    const { ca, timeoutMs = TIMEOUT_MS } = this.#options;
    return new Promise((resolve, reject) => {
      const httpRequest = request(target, {
        method: body === undefined ? 'GET' : 'POST',
        headers,
        signal: AbortSignal.timeout(timeoutMs),
        ...(ca !== undefined && { ca }),
      });
      httpRequest.once('error', reject);
      httpRequest.once('response', (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1');
          if (text.length > MAX_BYTES) response.destroy(new Error('the answer is too long'));
        });
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            retryAfter: response.headers['retry-after'],
            body: text,
          }),
        );
      });
      httpRequest.end(body);
    });
  }
}

// A degenerate PKCS#7 that contains only certificates (RFC 5272 §4.1).
function certificatesIn(base64: string): Certificate[] {
  try {
    const contentInfo = readDer(Buffer.from(base64, 'base64'));
    const signedData = childAt(childAt(contentInfo, 1, TAG.explicit0), 0, TAG.sequence);
    const certificates = childrenOf(signedData).find(({ tag }) => tag === TAG.explicit0);
    return (certificates ? childrenOf(certificates) : [])
      .filter(({ tag }) => tag === TAG.sequence) // none of the other forms of CertificateChoices
      .map(({ raw }) => Certificate.parse(raw));
  } catch (cause) {
    throw new EstError('the EST server sent an unreadable PKCS#7', { cause });
  }
}
