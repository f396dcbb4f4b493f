import type { FastifyContextConfig, FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { Db } from '../database/database.ts';
import { Problem } from '../http/problem.ts';
import * as apiKeys from './api-keys.store.ts';
import type { Role } from './api-keys.store.ts';
import type { FailedKeys } from './failed-keys.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route: keys of at least this role, gateways with their own key, or anyone. Every route says it. */
    role?: Role | 'gateway' | 'anyone';
  }
}

const RANKS: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 };
const TRUST_MS = 2000;

type KnownKey = Pick<apiKeys.ApiKey, 'keyId' | 'name' | 'role' | 'expiresAt'> & { untilMs: number };

/** API keys and their roles. A key that was found is believed for a moment, or every request would cost a query. */
export class KeyRing {
  readonly #database: Db;
  readonly #now: () => Date;
  // Only keys that exist are remembered, so their number bounds it.
  readonly #known = new Map<string, KnownKey>();
  #hashes: { hashes: Promise<Set<string>>; untilMs: number } | undefined;

  constructor(database: Db, now: () => Date) {
    this.#database = database;
    this.#now = now;
  }

  async roleOf(key: string): Promise<Role | undefined> {
    return (await this.#find(key))?.role;
  }

  /** Is this the key of anybody? Costs a hash: the database is asked for all keys, once in a while. */
  async exists(key: string): Promise<boolean> {
    const nowMs = this.#now().getTime();
    if (!this.#hashes || this.#hashes.untilMs <= nowMs) {
      const hashes = apiKeys.hashes(this.#database, this.#now());
      this.#hashes = { hashes, untilMs: nowMs + TRUST_MS };
      hashes.catch(() => this.forgetHashes());
    }
    return (await this.#hashes.hashes).has(apiKeys.hashKey(key));
  }

  /** A key was added; other managers see that within a moment. */
  forgetHashes(): void {
    this.#hashes = undefined;
  }

  async #find(key: string): Promise<Pick<KnownKey, 'keyId' | 'name' | 'role'> | undefined> {
    const nowMs = this.#now().getTime();
    const believed = this.#known.get(key);
    if (believed && believed.untilMs > nowMs) return believed;
    const found = await apiKeys.find(this.#database, key, this.#now());
    const expiryMs = found?.expiresAt?.getTime() ?? Infinity;
    if (found) this.#known.set(key, { ...found, untilMs: Math.min(nowMs + TRUST_MS, expiryMs) });
    else this.#known.delete(key);
    return found;
  }

  /** The name of the key that a request shows. */
  async nameOf(request: FastifyRequest): Promise<string | undefined> {
    const key = bearerOf(request);
    return key === undefined ? undefined : (await this.#find(key))?.name;
  }

  /** The id of the key that a request shows. */
  async idOf(request: FastifyRequest): Promise<string | undefined> {
    const key = bearerOf(request);
    return key === undefined ? undefined : (await this.#find(key))?.keyId;
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
    this.forgetHashes();
  }
}

/** What a request is judged by. */
interface Guard {
  keys: KeyRing;
  gatewayKey: string;
  failures: FailedKeys;
}

/** A route that the server has, and who may use it. */
export interface RouteAccess {
  method: string;
  url: string;
  role: FastifyContextConfig['role'];
  /** No part of the OpenAPI. */
  isHidden: boolean;
}

/**
 * Lets in only those whom the route's `config.role` names. The server does not start with a route that names none. Gives the
 * list of routes.
 */
export function requireRoles(app: FastifyInstance, guard: Guard): () => RouteAccess[] {
  // Read when they are asked for: a plugin's routes get their role after this hook.
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => void routes.push(route));
  const list = (): RouteAccess[] => routes.flatMap(accessOf);
  app.addHook('onReady', async () => {
    const open = list().find(({ role }) => role === undefined);
    if (open) throw new Error(`the route ${open.method} ${open.url} names no role in its config`);
  });
  app.addHook('onRequest', async (request) => {
    const { role } = request.routeOptions.config;
    if (request.is404 || role === 'anyone') return;
    if (role === 'gateway') checkGateway(request, guard);
    else await checkRole(request, guard, role ?? 'admin');
  });
  return list;
}

function accessOf({ method, url, config, schema }: RouteOptions): RouteAccess[] {
  const isHidden = (schema as { hide?: boolean } | undefined)?.hide === true;
  return [method].flat().map((one) => ({ method: one, url, role: config?.role, isHidden }));
}

async function checkRole(request: FastifyRequest, guard: Guard, needed: Role): Promise<void> {
  const key = bearerOf(request);
  const role = key === undefined ? undefined : await heardRole(request, guard, key);
  if (!role) {
    const fault = key === undefined ? 'the request has no API key' : 'the API key is not valid';
    const cure = 'send one that is as "Authorization: Bearer evk_…"';
    throw refusal(request, guard, { detail: `${fault}; ${cure}`, realm: 'Evander' });
  }
  if (RANKS[role] < RANKS[needed]) {
    throw new Problem(403, `this needs a key with the role ${needed}; the one sent has the role ${role}`);
  }
}

// A key that exists is heard whatever others do from its address, or with keys that begin like it; of all else, those who have to wait are
// not even looked up.
async function heardRole(request: FastifyRequest, guard: Guard, key: string): Promise<Role | undefined> {
  const { keys, failures } = guard;
  const isHeard = failures.secondsToWait(addressOf(request), key) === 0 || (await keys.exists(key));
  return isHeard ? keys.roleOf(key) : undefined;
}

function checkGateway(request: FastifyRequest, guard: Guard): void {
  if (isSame(bearerOf(request) ?? '', guard.gatewayKey)) return;
  const detail =
    'the gateway key is wrong; EVANDER_GATEWAY_SECRET must be what deploy/gateway-secret makes of the managers’ EVANDER_SECRET';
  throw refusal(request, guard, { detail, realm: 'Evander gateways' });
}

/** 401, and 429 for whoever has failed too often. */
function refusal(
  request: FastifyRequest,
  { failures }: Guard,
  { detail, realm }: { detail: string; realm: string },
): Problem {
  const address = addressOf(request);
  const key = bearerOf(request);
  const seconds = failures.secondsToWait(address, key);
  if (seconds > 0) {
    const cure = `too many requests without a valid key; try again in ${seconds} s`;
    return new Problem(429, cure, { headers: { 'retry-after': String(seconds) } });
  }
  if (failures.add(address, key))
    request.log.warn({ remoteAddress: address }, 'too many requests without a valid key: made to wait');
  return new Problem(401, detail, { headers: { 'www-authenticate': `Bearer realm="${realm}"` } });
}

// What a trusted proxy passes on need not be an address.
function addressOf({ ip, socket }: FastifyRequest): string {
  return isIP(ip) > 0 ? ip : (socket.remoteAddress ?? '');
}

function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
}

// Hashes have one length, so that the comparison takes one time, whatever was sent.
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}
