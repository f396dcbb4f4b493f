import { isDeepStrictEqual } from 'node:util';
import type { System } from '../system.ts';
import { NON_REPEATABLE } from './commands.ts';
import type { SentCommand } from './commands.ts';
import type { ReceivedCommand, ReceivedCommands } from './received-commands.ts';

interface Row {
  commandId: string;
  stationId: string;
  action: string;
  status: string;
  response: object | null;
  errorCode: string | null;
  /** Null if a manager sent it on its own. */
  requestedBy: string | null;
  completedAt: Date | null;
}

/** An answer must not be lost if its connection stayed open this long afterwards. */
const DELIVERY_MS = 30_000;

/** Differences about commands between API clients, the database and the stations, one per line. */
export async function commandDifferences(
  system: System,
  { sent, received }: { sent: readonly SentCommand[]; received: ReceivedCommands },
): Promise<string[]> {
  const rows = (await system.rows(
    `SELECT command_id AS "commandId", station_id AS "stationId", action, status, response, error_code AS "errorCode",
       requested_by AS "requestedBy", completed_at AS "completedAt" FROM commands ORDER BY sequence`,
  )) as unknown as Row[];
  const byId = new Map(rows.map((row) => [row.commandId, row]));
  const acknowledged = new Map(sent.map((command) => [command.commandId, command]));
  const found = sent.flatMap((command) => faultsOfAnswers(command, byId));
  for (const row of rows) {
    const name = `${row.stationId} ${row.action} ${row.commandId} (${row.status})`;
    if (row.requestedBy !== null && !acknowledged.has(row.commandId))
      found.push(`${name} is recorded, but no API client received its id`);
    const faults = faultsOf(row, received.byId.get(row.commandId));
    found.push(...faults.map((fault) => `${name} ${fault}`));
  }
  for (const [id, { stationId, action }] of received.byId)
    if (!byId.has(id)) found.push(`${stationId} ${action} ${id} was received, but is not recorded`);
  return found;
}

function faultsOfAnswers({ statuses, ...command }: SentCommand, rows: Map<string, Row>): string[] {
  const { stationId, action, atMs, commandId, fault } = command;
  const name = `POST ${stationId} ${action} at ${new Date(atMs).toISOString()} (${statuses.join(', ')})`;
  if (statuses.some((status) => ![0, 200, 202, 409, 422, 503].includes(status)))
    return [`${name} had an unexpected answer`];
  if (fault !== undefined) return [`${name} was not answered: ${fault}`];
  if (commandId === undefined) return [];
  const row = rows.get(commandId);
  const isIt = row?.stationId === stationId && row.action === action;
  return isIt ? [] : [`${name} was acknowledged as ${commandId}, which is not recorded`];
}

function faultsOf({ action, ...row }: Row, received: ReceivedCommand | undefined): string[] {
  const { times = 0, connections = [], answers = [] } = received ?? {};
  const found: string[] = [];
  if (times > 1 && NON_REPEATABLE.includes(action)) found.push(`was received ${times} times`);
  switch (row.status) {
    case 'queued':
    case 'sent':
      return [...found, 'was never completed'];
    case 'expired':
      return times === 0 ? found : [...found, 'was received, but has status expired'];
    case 'answered':
      return answers.some(({ response }) => isDeepStrictEqual(response, row.response))
        ? found
        : [...found, `was not answered with ${JSON.stringify(row.response)}`];
    case 'failed':
      return answers.some(({ errorCode }) => errorCode === row.errorCode)
        ? found
        : [...found, `was not answered with ${row.errorCode ?? ''}`];
  }
  const completedMs = row.completedAt?.getTime() ?? 0;
  const isLost = answers.some(
    ({ atMs, connection }) =>
      // An answer on a different connection than the command's does not count.
      connections.includes(connection) && connection.closedMs > Math.max(completedMs, atMs + DELIVERY_MS),
  );
  return isLost ? [...found, 'was answered on a connection that stayed open'] : found;
}
