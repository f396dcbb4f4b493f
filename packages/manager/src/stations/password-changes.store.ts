import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { bootColumns, BOOTED } from './boots.store.ts';
import type { BootTimes } from './boots.store.ts';

/** A password that is on its way to a station. */
export interface PasswordChange {
  commandId: string;
  stationId: string;
  passwordHashes: string[];
}

const insert = statement(
  'passwordChanges.add',
  'INSERT INTO password_changes (command_id, station_id, password_hashes) VALUES ($1, $2, $3)',
);

/** Lets a station in with a password that it may have got by a command, beside the one that it has. */
export async function add(db: Db, { commandId, stationId, passwordHashes }: PasswordChange): Promise<void> {
  await db.query(insert([commandId, stationId, passwordHashes]));
}

const removeOne = statement('passwordChanges.remove', 'DELETE FROM password_changes WHERE command_id = $1');

/** The station has not taken it. */
export async function remove(db: Db, commandId: string): Promise<void> {
  await db.query(removeOne([commandId]));
}

// What was sent before it counts no more, and what a younger one has replaced is not there any more.
const take = (which: string): string =>
  `WITH taken AS (SELECT station_id, sequence, password_hashes FROM password_changes WHERE ${which}),
   gone AS (DELETE FROM password_changes p USING taken WHERE p.station_id = taken.station_id AND p.sequence <= taken.sequence)
   UPDATE stations s SET password_hashes = taken.password_hashes FROM taken WHERE s.station_id = taken.station_id`;

const takeOne = statement('passwordChanges.take', take('command_id = $1'));

/** The station has taken it: from now on it is the only one. */
export async function accept(db: Db, commandId: string): Promise<void> {
  await db.query(takeOne([commandId]));
}

const markWaiting = statement(
  'passwordChanges.awaitBoot',
  'UPDATE password_changes SET awaits_boot_since = $2 WHERE command_id = $1',
);

/** The station takes it with its next boot after this time. */
export async function awaitBoot(db: Db, commandId: string, since: Date): Promise<void> {
  await db.query(markWaiting([commandId, since]));
}

const takeWaiting = statement(
  'passwordChanges.acceptAtBoot',
  take(
    `sequence IN (SELECT max(p.sequence) FROM password_changes p JOIN ${BOOTED} USING (station_id)
       WHERE p.awaits_boot_since < booted.at GROUP BY station_id)`,
  ),
);

/** Stations have booted: what waited for it is their password. */
export async function acceptAtBoot(db: Db, boots: BootTimes): Promise<void> {
  await db.query(takeWaiting(bootColumns(boots)));
}

const removeCompleted = statement(
  'passwordChanges.forgetCompleted',
  `DELETE FROM password_changes p WHERE p.station_id = $1
     AND NOT EXISTS (SELECT FROM commands k WHERE k.command_id = p.command_id AND k.status IN ('queued', 'sent'))`,
);

/** An operator has said what the password is: those of commands that ended without certainty are forgotten. */
export async function forgetCompleted(db: Db, stationId: string): Promise<void> {
  await db.query(removeCompleted([stationId]));
}
