import { Type } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { ApiContext } from '../api-context.ts';
import * as configuration from '../configuration/configuration.store.ts';
import type { Db } from '../database/database.ts';
import { ConnectorId, StationId } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import { askForSchedule } from './ask-composite-schedule.ts';
import { differences, reportedSchedule } from './composite-comparison.ts';
import { expectedSchedules } from './composite-expectation.ts';
import type { Expectation } from './composite-expectation.ts';
import { Answer, Query } from './composite-schedule.schemas.ts';
import * as compositeSchedules from './composite-schedules.store.ts';
import type { CompositeSchedule } from './composite-schedules.store.ts';

/** The composite schedule of a connector: as reported by the station, and as expected from its profiles. */
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
      const { duration, unit: requestedUnit } = query;
      const filter = { ...params, ...(requestedUnit && { chargingRateUnit: requestedUnit }) };
      const reported = await compositeSchedules.findLast(database, filter);
      if (!reported && duration === undefined) throw nothingReported(stationId, connectorId);
      const unit = await unitOf(database, stationId, { reported, unit: requestedUnit });
      const isAnswer = asked?.outcome === 'answered' || duration === undefined;
      const reportedStart = reported?.scheduleStart ?? reported?.askedAt;
      const start = (isAnswer ? reportedStart : undefined) ?? context.now();
      const durationSeconds = duration ?? reported?.durationSeconds ?? 1;
      const window = { stationId, connectorId, start, durationSeconds, unit };
      const { specified, assumed } = await expectedSchedules(database, window, reportedStart ?? start);
      // A different treatment of idle connectors is not reported as a difference.
      const isAssumed =
        assumed && compare(specified, reported)?.length && compare(assumed, reported)?.length === 0;
      const expected = isAssumed ? assumed : specified;
      return { ...shownReported(reported), connectorId, asked, ...shownExpected(expected, reported) };
    },
  );
}

interface ConnectorParams {
  stationId: string;
  connectorId: number;
}

async function askIfDesired(
  context: ApiContext,
  request: FastifyRequest & {
    params: ConnectorParams;
    query: { duration?: number; unit?: 'A' | 'W'; ask?: boolean };
  },
) {
  const { duration, unit, ask } = request.query;
  if (ask === true && duration === undefined)
    throw new Problem(400, 'duration is missing: send the duration of the schedule in seconds', {
      field: 'duration',
    });
  if (ask === false || duration === undefined) return null;
  const isAllowed = await context.keys.allows(request, 'operator');
  if (!isAllowed && ask === true)
    throw new Problem(403, 'asking a station requires an API key with the role operator; omit ask');
  if (!isAllowed)
    return {
      outcome: 'notAllowed' as const,
      commandId: null,
      detail: 'asking requires an API key with the role operator',
    };
  const { stationId, connectorId } = request.params;
  const scheduleRequest = { connectorId, duration, ...(unit && { chargingRateUnit: unit }) };
  const requestedBy = await context.keys.nameOf(request);
  return askForSchedule(context.callMaker, { stationId, request: scheduleRequest, requestedBy });
}

async function unitOf(
  db: Db,
  stationId: string,
  { reported, unit }: { reported: CompositeSchedule | undefined; unit: 'A' | 'W' | undefined },
): Promise<'A' | 'W'> {
  const known = reported?.chargingSchedule?.chargingRateUnit ?? unit;
  if (known) return known;
  const allowed = await configuration.list(db, stationId, 'ChargingScheduleAllowedChargingRateUnit');
  const isInWatts = allowed?.every((name) => name.toLowerCase() === 'power') ?? false;
  return isInWatts && allowed?.length ? 'W' : 'A';
}

function shownReported(reported: CompositeSchedule | undefined) {
  return {
    chargingRateUnit: reported?.chargingRateUnit ?? null,
    status: reported?.status ?? null,
    durationSeconds: reported?.durationSeconds ?? null,
    scheduleStart: reported?.scheduleStart ?? null,
    chargingSchedule: reported?.chargingSchedule ?? null,
    askedAt: reported?.askedAt ?? null,
  };
}

function shownExpected(expected: Expectation, reported: CompositeSchedule | undefined) {
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
    differences: compare(expected, reported),
  };
}

function compare(expected: Expectation, reported: CompositeSchedule | undefined) {
  if (!reported?.chargingSchedule) return null;
  const start = reported.scheduleStart ?? reported.askedAt;
  const { durationSeconds } = reported;
  const schedule = reportedSchedule(reported.chargingSchedule, { start, durationSeconds });
  const endMs = start.getTime() + schedule.durationSeconds * 1000;
  // A schedule that ended before the expected start cannot be compared.
  return endMs > expected.start.getTime() ? differences(expected, schedule) : null;
}

function nothingReported(stationId: string, connectorId: number): Problem {
  const path = `/api/v1/stations/${encodeURIComponent(stationId)}/commands/GetCompositeSchedule`;
  return new Problem(
    404,
    `station ${stationId} has reported no such composite schedule for connector ${connectorId}; request it with duration, or with POST ${path}`,
  );
}
