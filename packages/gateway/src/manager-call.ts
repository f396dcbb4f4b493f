import { timeLimit } from '@evander/process';
import { setMaxListeners } from 'node:events';
import http from 'node:http';
import https from 'node:https';

export interface ManagerCallOptions {
  /** Base URLs of managers or of a load balancer in front of them. The next one is asked when one is away or slow. */
  managerUrls: string[];
  gatewayKey: string;
  timeoutMs?: number;
  /** After this time without an answer the next manager is asked too; unset: never. */
  askNextAfterMs?: number;
}

/** Calls an internal path of the managers, by POST when there is a body. Returns undefined for 404. Rejects when no manager answers. */
export type AskManagers = (path: string, body?: object) => Promise<unknown>;

/** Asks the manager that answered last, and the others as soon as it fails or is slow. The first answer wins. */
export function askManagers(options: ManagerCallOptions): AskManagers {
  const { gatewayKey, timeoutMs = 3000, askNextAfterMs = timeoutMs } = options;
  let urls = options.managerUrls.map((url) => url.trim().replace(/\/$/, ''));
  return async (path, body) => {
    const answered = new AbortController();
    setMaxListeners(urls.length, answered.signal);
    const askOne = async (url: string): Promise<unknown> => {
      const limit = timeLimit(timeoutMs, answered.signal);
      try {
        const answer = await ask(url + path, body, gatewayKey, limit.signal);
        if (urls[0] !== url) urls = [url, ...urls.filter((other) => other !== url)];
        return answer;
      } finally {
        limit.end();
      }
    };
    try {
      return await firstAnswer(urls, askOne, askNextAfterMs);
    } finally {
      answered.abort();
    }
  };
}

/** Starts the requests one by one: the next when the previous one has failed or `startNextMs` has passed. Rejects when all have failed. */
function firstAnswer<T>(
  urls: readonly string[],
  start: (url: string) => Promise<T>,
  startNextMs: number,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let started = 0;
    let failed = 0;
    let timer: NodeJS.Timeout | undefined;
    const finish = (end: () => void): void => {
      started = urls.length;
      clearTimeout(timer);
      end();
    };
    const startNext = (): void => {
      clearTimeout(timer);
      const url = urls[started++];
      if (url === undefined) return;
      if (started < urls.length) timer = setTimeout(startNext, startNextMs);
      start(url).then(
        (answer) => finish(() => resolve(answer)),
        (error: Error) => {
          if (++failed === urls.length) finish(() => reject(error));
          else startNext();
        },
      );
    };
    startNext();
  });
}

/** Handshakes share connections to a manager: opening one costs more than a request. */
const CONNECTIONS = { keepAlive: true, maxSockets: 32 };
const CLIENTS = {
  'http:': { request: http.request, agent: new http.Agent(CONNECTIONS) },
  'https:': { request: https.request, agent: new https.Agent(CONNECTIONS) },
};

async function ask(
  url: string,
  body: object | undefined,
  gatewayKey: string,
  signal: AbortSignal,
): Promise<unknown> {
  const text = body && JSON.stringify(body);
  const options = {
    method: body ? 'POST' : 'GET',
    headers: {
      authorization: `Bearer ${gatewayKey}`,
      ...(text !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      }),
    },
    signal,
  };
  const { status, answer } = await exchange(new URL(url), options, text);
  if (status >= 200 && status < 300) return JSON.parse(answer);
  if (status === 404) return undefined;
  throw new Error(`${url} answered ${status}`);
}

function exchange(
  url: URL,
  options: http.RequestOptions,
  body: string | undefined,
): Promise<{ status: number; answer: string }> {
  const client = CLIENTS[url.protocol as keyof typeof CLIENTS] as (typeof CLIENTS)['http:'] | undefined;
  return new Promise((resolve, reject) => {
    if (!client) throw new Error(`${url.protocol} is not supported for managers`);
    const request = client.request(url, { ...options, agent: client.agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, answer: Buffer.concat(parts).toString() }),
      );
      response.on('error', reject);
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      // The manager closed the connection just as it was reused.
      if (request.reusedSocket && error.code === 'ECONNRESET') resolve(exchange(url, options, body));
      else reject(error);
    });
    request.end(body);
  });
}
