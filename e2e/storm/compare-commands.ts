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
  /** Null where a manager sent it of its own accord. */
  requestedBy: string | null;
  completedAt: Date | null;
}

/** An answer that a connection held for so long after it was given must not be lost. */
const DELIVERY_MS = 30_000;

/** Where the clients of the API, the database and the stations disagree about commands, a line each. */
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
      found.push(`${name} is recorded, but no client of the API was told so`);
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
    return [`${name} had an answer that does not fit`];
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
      return times === 0 ? found : [...found, 'was received, but is expired'];
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
      // An answer over another connection than the command's answers nothing.
      connections.includes(connection) && connection.closedMs > Math.max(completedMs, atMs + DELIVERY_MS),
  );
  return isLost ? [...found, 'was answered on a connection that stayed open'] : found;
}
