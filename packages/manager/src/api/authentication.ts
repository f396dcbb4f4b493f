import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import * as apiKeys from '../store/api-keys.ts';
import type { Role } from '../store/api-keys.ts';
import type { Database } from '../store/db.ts';
import { Problem } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The least role that may use the route. */
    role?: Role;
  }
}

const RANKS: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 };
const TRUST_MS = 2000;

/** Lets only those in whose key has the route's role. A route without a role cannot be added: none is open by mistake. */
export function requireRoles(app: FastifyInstance, database: Database): void {
  const known = new Map<string, { role: Role; until: number }>();
  app.addHook('onRoute', ({ method, url, config }) => {
    if (!config?.role) throw new Error(`the route ${String(method)} ${url} says no role`);
  });
  app.addHook('onRequest', async (request) => {
    const role = await roleOf(bearerOf(request), database, known);
    const needed = request.routeOptions.config.role ?? 'admin';
    if (!role) {
      throw new Problem(
        401,
        'an API key is needed: send "Authorization: Bearer <key>" with one that is valid',
        {
          'www-authenticate': 'Bearer realm="Evander"',
        },
      );
    }
    if (RANKS[role] < RANKS[needed]) {
      throw new Problem(403, `this needs the role ${needed}; the key has the role ${role}`);
    }
  });
}

/** The token of a bearer Authorization header, or undefined. */
export function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
}

/** Compares secrets in constant time, whatever their lengths. */
export function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}

async function roleOf(
  key: string | undefined,
  database: Database,
  known: Map<string, { role: Role; until: number }>,
): Promise<Role | undefined> {
  if (key === undefined) return undefined;
  const believed = known.get(key);
  if (believed && believed.until > Date.now()) return believed.role;
  known.delete(key);
  const found = await apiKeys.find(database, key);
  // Only keys that exist are remembered, so the memory is bounded by their number.
  if (found) known.set(key, { role: found.role, until: Date.now() + TRUST_MS });
  return found?.role;
}
