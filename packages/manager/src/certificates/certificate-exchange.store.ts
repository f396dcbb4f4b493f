import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** From the request that waits to the answer to its certificate: the same for a station's own certificates and for those of V2G. */
export interface CertificateExchange {
  /** Does a request of a station wait for its certificate? */
  waits(db: Db, stationId: string): Promise<boolean>;
  /** A certificate is about to be sent: it belongs to the request that waits. */
  sign(
    db: Db,
    sent: { stationId: string; commandId: string; certificateChain: string; at: Date },
  ): Promise<void>;
  /** What the station said to its certificate. A refusal means nothing where a younger request has come. */
  complete(
    db: Db,
    answer: { commandId: string; state: 'installed' | 'refused'; reason: string | null; at: Date },
  ): Promise<void>;
}

/** The exchange on a table of requests, whose statements begin with the name. */
export function certificateExchange({
  name,
  table,
  id,
}: {
  name: string;
  table: string;
  id: string;
}): CertificateExchange {
  const waiting = `SELECT ${id} FROM ${table}
   WHERE station_id = $1 AND state IN ('requested', 'signed', 'refused') ORDER BY ${id} DESC LIMIT 1`;
  const selectWaiting = statement(`${name}.waits`, waiting);
  const markSigned = statement(
    `${name}.sign`,
    `UPDATE ${table} SET state = 'signed', reason = NULL, command_id = $2, certificate_chain = $3, signed_at = $4,
       completed_at = NULL
     WHERE ${id} = (${waiting})`,
  );
  const markCompleted = statement(
    `${name}.complete`,
    `UPDATE ${table} SET state = $2, reason = $3, completed_at = $4
     WHERE command_id = $1 AND (state = 'signed' OR $2 = 'installed')`,
  );
  return {
    async waits(db, stationId) {
      const { rowCount } = await db.query(selectWaiting([stationId]));
      return rowCount === 1;
    },
    async sign(db, { stationId, commandId, certificateChain, at }) {
      await db.query(markSigned([stationId, commandId, certificateChain, at]));
    },
    async complete(db, { commandId, state, reason, at }) {
      await db.query(markCompleted([commandId, state, reason, at]));
    },
  };
}
