import { OcppError } from '@evander/ocpp';
import type { ChargingProfile } from '@evander/ocpp';
import type { CallMaker } from '../commands/call-maker.ts';
import { CommandNotSent, RuleViolation } from '../commands/command.ts';
import * as configuration from '../configuration/configuration.store.ts';
import type { Database, Db } from '../database/database.ts';
import * as transactions from '../transactions/transactions.store.ts';
import * as applications from './charging-profile-applications.store.ts';
import { profileIn } from './charging-profile-template.ts';
import type { NewProfile, TemplateDefinition } from './charging-profile-template.ts';

/** Stations handled in parallel. */
const CONCURRENCY = 8;

type Unit = ChargingProfile['chargingSchedule']['chargingRateUnit'];

/** A template and where to apply it. */
export interface Target {
  template: { templateId: string; definition: TemplateDefinition };
  stationIds: string[];
  connectorId: number;
  /** The transaction of a TxProfile; if undefined, the running transaction on the connector of each station. */
  transactionId: number | undefined;
  ttlSeconds: number;
  requestedBy: string | null;
  at: Date;
}

/**
 * Sends each station its SetChargingProfile and records it, or why it was not sent; a refusal at one station does not affect the others.
 * Returns the ids of the records, in the order of the stations. Rejects when the database is unavailable; earlier records stay.
 */
export async function applyTemplate(
  context: { database: Database; callMaker: CallMaker },
  target: Target,
): Promise<number[]> {
  const ids: number[] = [];
  for (let i = 0; i < target.stationIds.length; i += CONCURRENCY) {
    const batch = target.stationIds.slice(i, i + CONCURRENCY);
    ids.push(...(await Promise.all(batch.map((stationId) => applyTo(context, stationId, target)))));
  }
  return ids;
}

async function applyTo(
  { database, callMaker }: { database: Database; callMaker: CallMaker },
  stationId: string,
  target: Target,
): Promise<number> {
  const { template, connectorId, ttlSeconds, requestedBy, at } = target;
  const base = {
    templateId: template.templateId,
    stationId,
    connectorId,
    transactionId: null,
    unit: null,
    requestedBy,
    requestedAt: at,
  };
  try {
    const unit = await unitFor(database, stationId, template.definition.unit);
    const transactionId = await transactionFor(database, stationId, target);
    const profile: NewProfile = {
      ...profileIn(unit, template.definition),
      ...(transactionId && { transactionId }),
    };
    let id = NaN;
    await callMaker.request({
      stationId,
      action: 'SetChargingProfile',
      request: { connectorId, csChargingProfiles: profile },
      ttlSeconds,
      requestedBy,
      alongside: async (db, commandId) => {
        const sent = { ...base, transactionId: transactionId ?? null, unit, outcome: { commandId } };
        id = await applications.add(db, sent);
      },
    });
    return id;
  } catch (error) {
    return applications.add(database, { ...base, outcome: refusalOf(error) });
  }
}

/** The template's own unit, unless the station is known to accept only the other one. */
async function unitFor(db: Db, stationId: string, unit: Unit): Promise<Unit> {
  const allowed = await configuration.list(db, stationId, 'ChargingScheduleAllowedChargingRateUnit');
  const accepts = (value: string): boolean => allowed?.some((name) => name.toLowerCase() === value) ?? false;
  if (unit === 'A') return accepts('power') && !accepts('current') ? 'W' : 'A';
  return accepts('current') && !accepts('power') ? 'A' : 'W';
}

async function transactionFor(
  db: Db,
  stationId: string,
  { template, connectorId, transactionId }: Target,
): Promise<number | undefined> {
  if (template.definition.purpose !== 'TxProfile' || transactionId !== undefined) return transactionId;
  const running = await transactions.findOpen(db, { stationId, connectorId });
  if (running) return running.transactionId;
  throw new RuleViolation(
    'SetProfile.1',
    `no transaction is running on connector ${connectorId} of station ${stationId}; a TxProfile needs a running one`,
  );
}

function refusalOf(error: unknown): { rule: string | null; reason: string } {
  if (error instanceof RuleViolation) return { rule: error.rule, reason: error.message };
  if (error instanceof CommandNotSent || error instanceof OcppError)
    return { rule: null, reason: error.message };
  throw error;
}
