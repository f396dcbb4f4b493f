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
    /** Who may use the route: keys of at least this role, gateways with their own key, or anyone. Required on every route. */
    role?: Role | 'gateway' | 'anyone';
  }
}

const RANKS: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 };
const CACHE_MS = 2000;

type KnownKey = Pick<apiKeys.ApiKey, 'keyId' | 'name' | 'role' | 'expiresAt'> & { untilMs: number };

/** API keys and their roles. Valid keys are cached briefly, so that not every request costs a query. */
export class KeyRing {
  readonly #database: Db;
  readonly #now: () => Date;
  // Bounded: holds only keys that exist.
  readonly #known = new Map<string, KnownKey>();
  #hashes: { hashes: Promise<Set<string>>; untilMs: number } | undefined;

  constructor(database: Db, now: () => Date) {
    this.#database = database;
    this.#now = now;
  }

  async roleOf(key: string): Promise<Role | undefined> {
    return (await this.#find(key))?.role;
  }

  /** Whether this is a valid key. Costs one hash: the hashes of all keys are read from the database once per cache period. */
  async exists(key: string): Promise<boolean> {
    const nowMs = this.#now().getTime();
    if (!this.#hashes || this.#hashes.untilMs <= nowMs) {
      const hashes = apiKeys.hashes(this.#database, this.#now());
      this.#hashes = { hashes, untilMs: nowMs + CACHE_MS };
      hashes.catch(() => this.forgetHashes());
    }
    return (await this.#hashes.hashes).has(apiKeys.hashKey(key));
  }

  /** To be called after a key was added. Other managers notice it when their cache expires. */
  forgetHashes(): void {
    this.#hashes = undefined;
  }

  async #find(key: string): Promise<Pick<KnownKey, 'keyId' | 'name' | 'role'> | undefined> {
    const nowMs = this.#now().getTime();
    const cached = this.#known.get(key);
    if (cached && cached.untilMs > nowMs) return cached;
    const found = await apiKeys.find(this.#database, key, this.#now());
    const expiryMs = found?.expiresAt?.getTime() ?? Infinity;
    if (found) this.#known.set(key, { ...found, untilMs: Math.min(nowMs + CACHE_MS, expiryMs) });
    else this.#known.delete(key);
    return found;
  }

  /** The name of the key that a request carries; null without a valid key. */
  async nameOf(request: FastifyRequest): Promise<string | null> {
    const key = bearerOf(request);
    return key === undefined ? null : ((await this.#find(key))?.name ?? null);
  }

  /** The id of the key that a request carries. */
  async idOf(request: FastifyRequest): Promise<string | undefined> {
    const key = bearerOf(request);
    return key === undefined ? undefined : (await this.#find(key))?.keyId;
  }

  /** Whether the key that a request carries has at least this role. */
  async allows(request: FastifyRequest, needed: Role): Promise<boolean> {
    const key = bearerOf(request);
    const role = key === undefined ? undefined : await this.roleOf(key);
    return role !== undefined && RANKS[role] >= RANKS[needed];
  }

  /** Forgets a revoked key. Other managers forget it when their cache expires. */
  forget(keyId: string): void {
    for (const [key, known] of this.#known) if (known.keyId === keyId) this.#known.delete(key);
    this.forgetHashes();
  }
}

/** What requests are checked against. */
interface Guard {
  keys: KeyRing;
  gatewayKey: string;
  failures: FailedKeys;
}

/** A route of the server, and who may use it. */
export interface RouteAccess {
  method: string;
  url: string;
  role: FastifyContextConfig['role'];
  /** Not part of the OpenAPI document. */
  isHidden: boolean;
}

/**
 * Admits only requests that the route's `config.role` allows. The server does not start if a route has no role. Returns a
 * function that lists the routes.
 */
export function requireRoles(app: FastifyInstance, guard: Guard): () => RouteAccess[] {
  // Evaluated on demand: a plugin's routes get their role after this hook.
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => void routes.push(route));
  const list = (): RouteAccess[] => routes.flatMap(accessOf);
  app.addHook('onReady', async () => {
    const unprotected = list().find(({ role }) => role === undefined);
    if (unprotected)
      throw new Error(`the route ${unprotected.method} ${unprotected.url} has no role in its config`);
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
  const role = key === undefined ? undefined : await roleUnlessThrottled(request, guard, key);
  if (!role) {
    const fault = key === undefined ? 'the request has no API key' : 'the API key is not valid';
    const hint = 'send a valid one as "Authorization: Bearer evk_…"';
    throw refusal(request, guard, { detail: `${fault}; ${hint}`, realm: 'Evander' });
  }
  if (RANKS[role] < RANKS[needed]) {
    throw new Problem(403, `this needs a key with the role ${needed}; the key sent has the role ${role}`);
  }
}

// A key that exists is accepted whatever other clients do from the same address or with a similar key. Other keys are not even
// looked up while their client has to wait.
async function roleUnlessThrottled(
  request: FastifyRequest,
  guard: Guard,
  key: string,
): Promise<Role | undefined> {
  const { keys, failures } = guard;
  const isAllowed = failures.secondsToWait(addressOf(request), key) === 0 || (await keys.exists(key));
  return isAllowed ? keys.roleOf(key) : undefined;
}

function checkGateway(request: FastifyRequest, guard: Guard): void {
  if (isEqual(bearerOf(request) ?? '', guard.gatewayKey)) return;
  const detail =
    'the gateway key is wrong; EVANDER_GATEWAY_SECRET must be what deploy/gateway-secret derives from the managers’ EVANDER_SECRET';
  throw refusal(request, guard, { detail, realm: 'Evander gateways' });
}

/** 401, or 429 for a client that has failed too often. */
function refusal(
  request: FastifyRequest,
  { failures }: Guard,
  { detail, realm }: { detail: string; realm: string },
): Problem {
  const address = addressOf(request);
  const key = bearerOf(request);
  const seconds = failures.secondsToWait(address, key);
  if (seconds > 0) {
    const hint = `too many requests without a valid key; try again in ${seconds} s`;
    return new Problem(429, hint, { headers: { 'retry-after': String(seconds) } });
  }
  if (failures.add(address, key))
    request.log.warn({ remoteAddress: address }, 'too many requests without a valid key: made to wait');
  return new Problem(401, detail, { headers: { 'www-authenticate': `Bearer realm="${realm}"` } });
}

// What a trusted proxy forwards is not necessarily an address.
function addressOf({ ip, socket }: FastifyRequest): string {
  return isIP(ip) > 0 ? ip : (socket.remoteAddress ?? '');
}

function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
}

// Hashes have equal lengths, so the comparison takes the same time whatever was sent.
function isEqual(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}
