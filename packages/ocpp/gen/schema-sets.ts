import { ACTIONS } from '../src/actions.ts';
import { DIALECTS } from '../src/tunnel-actions.ts';

/** A folder of schemas/ and its generated files. */
export interface SchemaSet {
  readonly folder: string;
  /** The file that lists the actions of the set. */
  readonly table: string;
  readonly actions: readonly string[];
  /** Prefix of the names of its generated files. */
  readonly prefix: string;
}

export const OCPP16: SchemaSet = {
  folder: 'ocpp1.6',
  table: 'packages/ocpp/src/actions.ts',
  actions: Object.keys(ACTIONS),
  prefix: '',
};

export const SCHEMA_SETS: readonly SchemaSet[] = [
  OCPP16,
  {
    folder: 'pnc',
    table: 'packages/ocpp/src/tunnel-actions.ts',
    actions: Object.keys(DIALECTS.oca.actions),
    prefix: 'pnc-',
  },
  {
    folder: 'has2be',
    table: 'packages/ocpp/src/tunnel-actions.ts',
    actions: Object.keys(DIALECTS.has2be.actions),
    prefix: 'has2be-',
  },
];
