import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { TemplateDefinition } from './charging-profile-template.ts';

export interface TemplateRow {
  templateId: string;
  name: string;
  definition: TemplateDefinition;
  createdAt: Date;
  updatedAt: Date;
}

const COLUMNS =
  'template_id AS "templateId", name, definition, created_at AS "createdAt", updated_at AS "updatedAt"';

/** Another template has the name. */
export class NameTaken extends Error {
  override name = 'NameTaken';
}

async function unlessTaken<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { constraint } = error as { constraint?: unknown };
    throw constraint === 'charging_profile_templates_name' ? new NameTaken() : error;
  }
}

type Written = Pick<TemplateRow, 'name' | 'definition'>;

const insert = statement(
  'chargingProfileTemplates.add',
  `INSERT INTO charging_profile_templates (name, definition) VALUES ($1, $2) RETURNING ${COLUMNS}`,
);

/** Adds a template. Throws NameTaken. */
export async function add(db: Db, { name, definition }: Written): Promise<TemplateRow> {
  const values = [name, JSON.stringify(definition)];
  const { rows } = await unlessTaken(db.query<TemplateRow>(insert(values)));
  return rows[0] as TemplateRow;
}

const select = statement(
  'chargingProfileTemplates.get',
  `SELECT ${COLUMNS} FROM charging_profile_templates WHERE template_id = $1`,
);

export async function get(db: Db, templateId: string): Promise<TemplateRow | undefined> {
  const { rows } = await db.query<TemplateRow>(select([templateId]));
  return rows[0];
}

const selectLocked = statement(
  'chargingProfileTemplates.lock',
  `SELECT ${COLUMNS} FROM charging_profile_templates WHERE template_id = $1 FOR UPDATE`,
);

/** A template, locked until the database transaction ends. */
export async function lock(db: Db, templateId: string): Promise<TemplateRow | undefined> {
  const { rows } = await db.query<TemplateRow>(selectLocked([templateId]));
  return rows[0];
}

const update = statement(
  'chargingProfileTemplates.change',
  `UPDATE charging_profile_templates SET name = $2, definition = $3, updated_at = now() WHERE template_id = $1
   RETURNING ${COLUMNS}`,
);

/** Replaces a template's name and definition. Throws NameTaken. */
export async function change(
  db: Db,
  templateId: string,
  { name, definition }: Written,
): Promise<TemplateRow> {
  const values = [templateId, name, JSON.stringify(definition)];
  const { rows } = await unlessTaken(db.query<TemplateRow>(update(values)));
  return rows[0] as TemplateRow;
}

const removeOne = statement(
  'chargingProfileTemplates.remove',
  'DELETE FROM charging_profile_templates WHERE template_id = $1',
);

/** Removes a template with the record of where it was applied; false when there is none. */
export async function remove(db: Db, templateId: string): Promise<boolean> {
  const { rowCount } = await db.query(removeOne([templateId]));
  return rowCount === 1;
}

const selectPage = search(
  `SELECT ${COLUMNS} FROM charging_profile_templates
   WHERE ($1::text IS NULL OR name > $1) AND ($2::text IS NULL OR definition ->> 'purpose' = $2) ORDER BY name LIMIT $3`,
);

/** A page of templates, by name. */
export async function list(
  db: Db,
  { after, purpose, rows: limit }: { after: string | null; purpose?: string; rows: number },
): Promise<TemplateRow[]> {
  const { rows } = await db.query<TemplateRow>(selectPage([after, purpose ?? null, limit]));
  return rows;
}
