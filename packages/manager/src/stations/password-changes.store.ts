import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { bootColumns, BOOTED } from './boots.store.ts';
import type { BootTimes } from './boots.store.ts';

/** A password that is being sent to a station. */
export interface PasswordChange {
  commandId: string;
  stationId: string;
  passwordHashes: string[];
}

const insert = statement(
  'passwordChanges.add',
  'INSERT INTO password_changes (command_id, station_id, password_hashes) VALUES ($1, $2, $3)',
);

/** Accepts a password that a station may have received by a command, in addition to its current one. */
export async function add(db: Db, { commandId, stationId, passwordHashes }: PasswordChange): Promise<void> {
  await db.query(insert([commandId, stationId, passwordHashes]));
}

const removeOne = statement('passwordChanges.remove', 'DELETE FROM password_changes WHERE command_id = $1');

/** Removes a password change that the station did not accept. */
export async function remove(db: Db, commandId: string): Promise<void> {
  await db.query(removeOne([commandId]));
}

// Accepting a change also deletes the earlier ones, so a change that a later one superseded is no longer in the table.
const acceptWhere = (condition: string): string =>
  `WITH accepted AS (SELECT station_id, sequence, password_hashes FROM password_changes WHERE ${condition}),
   gone AS (DELETE FROM password_changes p USING accepted WHERE p.station_id = accepted.station_id AND p.sequence <= accepted.sequence)
   UPDATE stations s SET password_hashes = accepted.password_hashes FROM accepted WHERE s.station_id = accepted.station_id`;

const acceptOne = statement('passwordChanges.take', acceptWhere('command_id = $1'));

/** Makes the password, which the station accepted, its only one. */
export async function accept(db: Db, commandId: string): Promise<void> {
  await db.query(acceptOne([commandId]));
}

const markWaiting = statement(
  'passwordChanges.awaitBoot',
  'UPDATE password_changes SET awaits_boot_since = $2 WHERE command_id = $1',
);

/** Records that the password takes effect with the station's next boot after `since`. */
export async function awaitBoot(db: Db, commandId: string, since: Date): Promise<void> {
  await db.query(markWaiting([commandId, since]));
}

const acceptWaiting = statement(
  'passwordChanges.acceptAtBoot',
  acceptWhere(
    `sequence IN (SELECT max(p.sequence) FROM password_changes p JOIN ${BOOTED} USING (station_id)
       WHERE p.awaits_boot_since < booted.at GROUP BY station_id)`,
  ),
);

/** Makes passwords that awaited a boot the passwords of the booted stations. */
export async function acceptAtBoot(db: Db, boots: BootTimes): Promise<void> {
  await db.query(acceptWaiting(bootColumns(boots)));
}

const removeCompleted = statement(
  'passwordChanges.forgetCompleted',
  `DELETE FROM password_changes p WHERE p.station_id = $1
     AND NOT EXISTS (SELECT FROM commands k WHERE k.command_id = p.command_id AND k.status IN ('queued', 'sent'))`,
);

/** Removes changes of ended commands with an unknown outcome, because an operator set the password. */
export async function forgetCompleted(db: Db, stationId: string): Promise<void> {
  await db.query(removeCompleted([stationId]));
}
