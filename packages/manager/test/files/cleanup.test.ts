import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { cleanUpFiles } from '../../src/files/cleanup.ts';
import * as files from '../../src/files/files.store.ts';
import { Files } from '../../src/files/files.ts';
import { DEFAULT_FILE_OPTIONS } from '../../src/files/settings.ts';
import { NoPublicUrl } from '../../src/files/links.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

const DAY_MS = 86_400_000;

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());

test('expired links, old uploads and incomplete files of a dead manager are removed; firmware stays', async () => {
  const allFiles = new Files(
    manager.database,
    { ...DEFAULT_FILE_OPTIONS, publicUrl: 'http://csms.example/' },
    manager.now,
  );
  const add = (kind: 'firmware' | 'log'): Promise<{ fileId: string }> =>
    allFiles.store({ kind, name: kind }, { source: Readable.from([Buffer.from(kind)]), maxBytes: 100 });
  const firmware = await add('firmware');
  const log = await add('log');
  const fileId = '11111111-1111-4111-8111-111111111111';
  await files.begin(manager.database, { fileId, kind: 'firmware', name: 'half', createdAt: manager.now() });
  const link = allFiles.links.toFetch({ ...firmware, name: 'fw v2?.bin' }, 'http');
  expect(link.location).toMatch(/^http:\/\/csms\.example\/files\/evl_[\w-]{24}\/fw_v2_\.bin$/);
  await link.store(manager.database, { stationId: 'CP1', commandId: fileId });

  const remaining = async (days: number): Promise<unknown[]> => {
    await cleanUpFiles(
      manager.database,
      DEFAULT_FILE_OPTIONS,
      new Date(manager.now().getTime() + days * DAY_MS),
    );
    const rows = await manager.rows(
      'SELECT file_id AS id, 1 AS place FROM files UNION ALL SELECT file_id, 2 FROM file_links ORDER BY place',
    );
    return rows.map(({ id }) => id).sort();
  };
  expect(await remaining(0)).toEqual([fileId, firmware.fileId, firmware.fileId, log.fileId].sort());
  expect(await remaining(1.1)).toEqual([firmware.fileId, log.fileId].sort());
  expect(await remaining(91)).toEqual([firmware.fileId]);
});

test('no link is created without a URL that stations can reach', () => {
  const { links } = new Files(manager.database, DEFAULT_FILE_OPTIONS, manager.now);
  links.setOwnUrl('http://0.0.0.0:9410');
  expect(() => links.toUpload('log', 'http')).toThrow(NoPublicUrl);
  links.setOwnUrl('http://192.0.2.1:9410');
  expect(links.toUpload('log', 'http').location).toMatch(
    /^http:\/\/192\.0\.2\.1:9410\/uploads\/evl_[\w-]{24}\/$/,
  );
});
