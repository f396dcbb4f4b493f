import { Type } from '@fastify/type-provider-typebox';
import type { Db } from '../database/database.ts';
import { Problem } from '../http/problem.ts';
import * as store from './station-groups.store.ts';
import type { StationGroup } from './station-groups.store.ts';

const GroupName = Type.String({
  pattern: '^[\\w .:-]{1,64}$',
  description: '1 to 64 letters, digits, spaces and _ . : -',
});
export const GroupParams = Type.Object({ name: GroupName });
export function unknownGroup(name: string): Problem {
  const path = `/api/v1/station-groups/${encodeURIComponent(name)}`;
  return new Problem(404, `station group ${name} is not known; PUT ${path} adds it`);
}

/** A group of stations. Throws Problem 404. */
export async function requireGroup(db: Db, name: string): Promise<StationGroup> {
  const group = await store.get(db, name);
  if (!group) throw unknownGroup(name);
  return group;
}
