import { Type } from '@fastify/type-provider-typebox';
import type { Static } from '@fastify/type-provider-typebox';
import type { Database, Db } from '../database/database.ts';
import { nullable, oneOf } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import * as passwordChanges from './password-changes.store.ts';
import * as stationList from './station-list.store.ts';
import { passwordHashes } from './station-password.ts';
import * as stations from './stations.store.ts';

/** The fields of a station that an operator can set. */
export const StationChange = Type.Object(
  {
    securityProfile: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3,
        description:
          '0: none, 1: password, 2: TLS and password, 3: TLS and client certificate. Default of a new station: 1 with a password, else 0. ' +
          'Raising it closes a connection that does not satisfy it',
      }),
    ),
    password: Type.Optional(
      Type.String({
        minLength: 8,
        maxLength: 40,
        description:
          '32 to 40 hexadecimal digits are an AuthorizationKey: the station may send its bytes or its digits. Anything else is text. Never shown again',
      }),
    ),
    userName: Type.Optional(
      nullable(
        Type.String({
          minLength: 1,
          maxLength: 255,
          pattern: '^[^:]*$',
          description:
            'The Basic user name, if the station sends one other than its id, which OCPP-J forbids; null: its id',
        }),
      ),
    ),
    serialNumbers: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        maxItems: 20,
        description:
          'Names, in addition to its id, that a certificate of the station may contain: serial numbers, the SECC id of ISO 15118. Only these ' +
          'count, never what the station reports; each must belong to only one station',
      }),
    ),
    assumedSubprotocol: Type.Optional(
      nullable(
        oneOf(
          ['ocpp1.6'] as const,
          'Used with the station if its handshake offers no subprotocol, which OCPP-J forbids; null: such a handshake is rejected',
        ),
      ),
    ),
    bootAnswer: Type.Optional(
      oneOf(
        ['Accepted', 'Pending', 'Rejected'] as const,
        'The status in the response to its next BootNotification',
      ),
    ),
  },
  { additionalProperties: false },
);

/** Adds or changes a station; omitted fields keep their value. True when it is new. Throws Problem for an inconsistent result. */
export async function putStation(
  { database, passwordPepper }: { database: Database; passwordPepper: string },
  stationId: string,
  change: Static<typeof StationChange>,
): Promise<boolean> {
  const { securityProfile, password, bootAnswer, userName, serialNumbers, assumedSubprotocol } = change;
  const isNew = await database.transaction(async (db) => {
    const isNewRow = await stationList.put(db, {
      stationId,
      securityProfile: securityProfile ?? null,
      passwordHashes: password === undefined ? null : passwordHashes(password, stationId, passwordPepper),
      bootAnswer: bootAnswer ?? null,
      userName,
      serialNumbers: serialNumbers ?? null,
      assumedSubprotocol,
    });
    if (password !== undefined) await passwordChanges.forgetCompleted(db, stationId);
    // Checked after the write, with the row locked: two concurrent changes cannot together leave the station without a password.
    const stored = await stations.credentials(db, stationId);
    if (stored) requirePassword(stored);
    if (isNewRow || serialNumbers) await requireOwnNames(db, stationId);
    await stationList.forgetRejections(db, stationId);
    return isNewRow;
  });
  return isNew;
}

/** Throws Problem if a name belongs to another station: one of the two could get a certificate in the name of the other. */
async function requireOwnNames(db: Db, stationId: string): Promise<void> {
  const names = await stations.registeredNames(db, stationId);
  const other = await stations.otherNamed(db, stationId, names);
  if (other !== undefined)
    throw new Problem(
      409,
      `the id of station ${stationId} or one of its serialNumbers is the id or a serial number of station ${other}; change or delete that one first`,
      { field: 'serialNumbers' },
    );
}

function requirePassword({ stationId, securityProfile, passwordHashes }: stations.StationCredentials): void {
  if ((securityProfile !== 1 && securityProfile !== 2) || passwordHashes.length > 0) return;
  throw new Problem(
    400,
    `station ${stationId} has no password, which security profile ${securityProfile} requires; send "password" too`,
    { field: 'password' },
  );
}
