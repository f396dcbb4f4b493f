export interface ManagerCallOptions {
  /** Base URLs of managers or of a load balancer before them; the next is asked when one is away. */
  managerUrls: string[];
  gatewayKey: string;
  timeoutMs?: number;
}

/** Asks a path of the managers' own routes, with a body by POST; undefined when the answer is 404. Rejects when none can answer. */
export type AskManagers = (path: string, body?: object) => Promise<unknown>;

/** Asks one manager after the other, beginning with the one that answered last. */
export function askManagers(options: ManagerCallOptions): AskManagers {
  const { managerUrls, gatewayKey, timeoutMs = 3000 } = options;
  let preferred = 0;
  return async (path, body) => {
    let cause: unknown;
    for (let i = 0; i < managerUrls.length; i++) {
      const index = (preferred + i) % managerUrls.length;
      try {
        const url = `${(managerUrls[index] ?? '').trim().replace(/\/$/, '')}${path}`;
        const answer = await ask(url, body, { gatewayKey, timeoutMs });
        preferred = index;
        return answer;
      } catch (error) {
        cause = error;
      }
    }
    throw cause;
  };
}

async function ask(
  url: string,
  body: object | undefined,
  { gatewayKey, timeoutMs }: { gatewayKey: string; timeoutMs: number },
): Promise<unknown> {
  const response = await fetch(url, {
    method: body ? 'POST' : 'GET',
    headers: {
      authorization: `Bearer ${gatewayKey}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.ok) return response.json();
  await response.body?.cancel();
  if (response.status === 404) return undefined;
  throw new Error(`${url} answered ${response.status}`);
}
