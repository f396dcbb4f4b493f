import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import * as apiKeys from '../store/api-keys.ts';
import type { Role } from '../store/api-keys.ts';
import type { Db } from '../store/db.ts';
import { Problem } from './problem.ts';

const RANKS: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 };
const TRUST_MS = 2000;

/** API keys and their roles. A key that was found is believed for a moment, or every request would cost a query. */
export class KeyRing {
  readonly #database: Db;
  readonly #now: () => Date;
  // Only keys that exist are remembered, so their number bounds it.
  readonly #known = new Map<string, { keyId: string; name: string; role: Role; untilMs: number }>();

  constructor(database: Db, now: () => Date) {
    this.#database = database;
    this.#now = now;
  }

  async roleOf(key: string): Promise<Role | undefined> {
    return (await this.#find(key))?.role;
  }

  async #find(key: string): Promise<Pick<apiKeys.ApiKey, 'name' | 'role'> | undefined> {
    const nowMs = this.#now().getTime();
    const believed = this.#known.get(key);
    if (believed && believed.untilMs > nowMs) return believed;
    const found = await apiKeys.find(this.#database, key);
    if (found) this.#known.set(key, { ...found, untilMs: nowMs + TRUST_MS });
    else this.#known.delete(key);
    return found;
  }

  /** The name of the key that a request shows. */
  async nameOf(request: FastifyRequest): Promise<string | undefined> {
    const key = bearerOf(request);
    return key === undefined ? undefined : (await this.#find(key))?.name;
  }

  /** May the key that a request shows do what needs this role? */
  async allows(request: FastifyRequest, needed: Role): Promise<boolean> {
    const key = bearerOf(request);
    const role = key === undefined ? undefined : await this.roleOf(key);
    return role !== undefined && RANKS[role] >= RANKS[needed];
  }

  /** Forgets a key that was taken back; other managers do so by themselves in a moment. */
  forget(keyId: string): void {
    for (const [key, known] of this.#known) if (known.keyId === keyId) this.#known.delete(key);
  }
}

/** Lets in only those whom the route's `config.role` names. The server does not start with a route that names none. */
export function requireRoles(app: FastifyInstance, keys: KeyRing, gatewayKey: string): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => void routes.push(route));
  app.addHook('onReady', async () => {
    const open = routes.find(({ config }) => config?.role === undefined);
    if (open) throw new Error(`the route ${String(open.method)} ${open.url} names no role in its config`);
  });
  app.addHook('onRequest', async (request) => {
    const { role } = request.routeOptions.config;
    if (request.is404 || role === 'anyone') return;
    if (role === 'gateway') checkGateway(request, gatewayKey);
    else await checkRole(request, keys, role ?? 'admin');
  });
}

async function checkRole(request: FastifyRequest, keys: KeyRing, needed: Role): Promise<void> {
  const key = bearerOf(request);
  const role = key === undefined ? undefined : await keys.roleOf(key);
  if (!role) {
    const fault = key === undefined ? 'the request has no API key' : 'the API key is not valid';
    throw new Problem(401, `${fault}; send one that is as "Authorization: Bearer evk_…"`, {
      headers: { 'www-authenticate': 'Bearer realm="Evander"' },
    });
  }
  if (RANKS[role] < RANKS[needed]) {
    throw new Problem(403, `this needs a key with the role ${needed}; the one sent has the role ${role}`);
  }
}

function checkGateway(request: FastifyRequest, gatewayKey: string): void {
  if (isSame(bearerOf(request) ?? '', gatewayKey)) return;
  throw new Problem(
    401,
    'the gateway key is wrong; EVANDER_SECRET must be the same for gateways and managers',
    {
      headers: { 'www-authenticate': 'Bearer realm="Evander gateways"' },
    },
  );
}

function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
}

// Hashes have one length, so that the comparison takes one time, whatever was sent.
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}
