import { Type } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { ApiContext } from '../api-context.ts';
import * as configuration from '../configuration/configuration.store.ts';
import type { Db } from '../database/database.ts';
import { ConnectorId, StationId } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import { askForSchedule } from './ask-composite-schedule.ts';
import { differences, toldSchedule } from './composite-comparison.ts';
import { expectedSchedules } from './composite-expectation.ts';
import type { Expectation } from './composite-expectation.ts';
import { Answer, Query } from './composite-schedule.schemas.ts';
import * as compositeSchedules from './composite-schedules.store.ts';
import type { CompositeSchedule } from './composite-schedules.store.ts';

/** What a connector may take: as its station says, and as its profiles give. */
export function compositeScheduleRoute(app: App, context: ApiContext): void {
  const { database } = context;
  app.get(
    '/stations/:stationId/connectors/:connectorId/composite-schedule',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getCompositeSchedule',
        summary:
          'The composite schedule of a connector, as reported by the station and as expected from its profiles; 0 is the whole station',
        tags: ['smart charging'],
        params: Type.Object({ stationId: StationId, connectorId: ConnectorId }),
        querystring: Query,
        response: { 200: Answer },
      },
    },
    async (request) => {
      const { params, query } = request;
      const { stationId, connectorId } = params;
      const asked = await askIfDesired(context, request);
      const { duration, unit: desired } = query;
      const filter = { ...params, ...(desired && { chargingRateUnit: desired }) };
      const told = await compositeSchedules.findLast(database, filter);
      if (!told && duration === undefined) throw nothingTold(stationId, connectorId);
      const unit = await unitOf(database, stationId, { told, unit: desired });
      const isAnswer = asked?.outcome === 'answered' || duration === undefined;
      const toldStart = told?.scheduleStart ?? told?.askedAt;
      const start = (isAnswer ? toldStart : undefined) ?? context.now();
      const durationSeconds = duration ?? told?.durationSeconds ?? 1;
      const window = { stationId, connectorId, start, durationSeconds, unit };
      const { specified, assumed } = await expectedSchedules(database, window, toldStart ?? start);
      // A station that reckons idle connectors in its own way is no station with another schedule.
      const isAssumed = assumed && compare(specified, told)?.length && compare(assumed, told)?.length === 0;
      const expected = isAssumed ? assumed : specified;
      return { ...shownTold(told), connectorId, asked, ...shownExpected(expected, told) };
    },
  );
}

interface Asking {
  stationId: string;
  connectorId: number;
}

async function askIfDesired(
  context: ApiContext,
  request: FastifyRequest & { params: Asking; query: { duration?: number; unit?: 'A' | 'W'; ask?: boolean } },
) {
  const { duration, unit, ask } = request.query;
  if (ask === true && duration === undefined)
    throw new Problem(400, 'duration is missing: for how many seconds shall the station be asked?', {
      field: 'duration',
    });
  if (ask === false || duration === undefined) return null;
  const isAllowed = await context.keys.allows(request, 'operator');
  if (!isAllowed && ask === true)
    throw new Problem(403, 'to ask a station needs a key with the role operator; leave out ask');
  if (!isAllowed)
    return {
      outcome: 'notAllowed' as const,
      commandId: null,
      detail: 'to ask needs a key with the role operator',
    };
  const { stationId, connectorId } = request.params;
  const asking = { connectorId, duration, ...(unit && { chargingRateUnit: unit }) };
  const requestedBy = await context.keys.nameOf(request);
  return askForSchedule(context.callMaker, { stationId, request: asking, requestedBy });
}

async function unitOf(
  db: Db,
  stationId: string,
  { told, unit }: { told: CompositeSchedule | undefined; unit: 'A' | 'W' | undefined },
): Promise<'A' | 'W'> {
  const said = told?.chargingSchedule?.chargingRateUnit ?? unit;
  if (said) return said;
  const allowed = await configuration.list(db, stationId, 'ChargingScheduleAllowedChargingRateUnit');
  const isInWatts = allowed?.every((name) => name.toLowerCase() === 'power') ?? false;
  return isInWatts && allowed?.length ? 'W' : 'A';
}

function shownTold(told: CompositeSchedule | undefined) {
  return {
    chargingRateUnit: told?.chargingRateUnit ?? null,
    status: told?.status ?? null,
    durationSeconds: told?.durationSeconds ?? null,
    scheduleStart: told?.scheduleStart ?? null,
    chargingSchedule: told?.chargingSchedule ?? null,
    askedAt: told?.askedAt ?? null,
  };
}

function shownExpected(expected: Expectation, told: CompositeSchedule | undefined) {
  const { unit: chargingRateUnit, start: scheduleStart, durationSeconds } = expected;
  const { transactionId, assumesTransaction } = expected;
  const periods = expected.periods.map(({ startPeriod, limit, numberPhases = null }) => ({
    startPeriod,
    limit: limit === Infinity ? null : limit,
    numberPhases,
  }));
  return {
    expected: {
      chargingRateUnit,
      scheduleStart,
      durationSeconds,
      transactionId,
      assumesTransaction,
      periods,
    },
    differences: compare(expected, told),
  };
}

function compare(expected: Expectation, told: CompositeSchedule | undefined) {
  if (!told?.chargingSchedule) return null;
  const start = told.scheduleStart ?? told.askedAt;
  const schedule = toldSchedule(told.chargingSchedule, { start, durationSeconds: told.durationSeconds });
  const endMs = start.getTime() + schedule.durationSeconds * 1000;
  // An answer from before says nothing of now.
  return endMs > expected.start.getTime() ? differences(expected, schedule) : null;
}

function nothingTold(stationId: string, connectorId: number): Problem {
  const path = `/api/v1/stations/${encodeURIComponent(stationId)}/commands/GetCompositeSchedule`;
  return new Problem(
    404,
    `station ${stationId} has told no such composite schedule of connector ${connectorId}; ask for it with duration, or with POST ${path}`,
  );
}
