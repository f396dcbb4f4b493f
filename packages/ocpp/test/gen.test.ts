import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readSchemas } from '../gen/read-schemas.ts';

const ROOT = new URL('../../../', import.meta.url);

test('the generated files are up to date', async () => {
  const args = ['--import', 'tsx', '--conditions=@evander/source', 'packages/ocpp/gen/main.ts', '--check'];
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT }, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
  expect(output).toBe('generated files are up to date\n');
});

describe('readSchemas', () => {
  let folder: string;
  const read = (): unknown => readSchemas(pathToFileURL(`${folder}/`));

  function change(file: string, edit: (text: string) => string): void {
    const path = join(folder, file);
    writeFileSync(path, edit(readFileSync(path, 'utf8')));
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'schemas-'));
    cpSync(new URL('schemas/ocpp1.6/', ROOT), folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('reads 39 pairs', () => expect(read()).toHaveLength(39));

  test('reports a missing half', () => {
    rmSync(join(folder, 'ResetResponse.json'));
    expect(read).toThrow('schema missing: ResetResponse.json');
  });

  test('reports a file without an action', () => {
    renameSync(join(folder, 'Reset.json'), join(folder, 'Restart.json'));
    expect(read).toThrow('schema missing: Reset.json');
    cpSync(join(folder, 'Restart.json'), join(folder, 'Reset.json'));
    expect(read).toThrow('no such action in packages/ocpp/src/actions.ts: Restart.json');
  });

  test('reports a schema with a wrong id', () => {
    cpSync(join(folder, 'Heartbeat.json'), join(folder, 'Reset.json'));
    expect(read).toThrow('Reset.json: $id must be urn:evander:ocpp1.6:Reset');
  });

  test('rejects a keyword that tolerant reading does not support', () => {
    change('Reset.json', (text) => text.replace('"enum"', '"pattern": "^H", "enum"'));
    expect(read).toThrow('Reset.type: tolerant reading does not know the keyword pattern');
  });

  test('rejects an object with additional properties', () => {
    change('Reset.json', (text) => text.replace('"additionalProperties": false', '"default": "x"'));
    expect(read).toThrow('Reset: additionalProperties must be false');
  });
});
