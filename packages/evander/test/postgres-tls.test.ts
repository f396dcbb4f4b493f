import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../manager/src/database/database.ts';
import { migrate } from '../../manager/src/database/migrate.ts';
import { OpenSsl } from '../../../test/openssl.ts';
import type { KeyPair } from '../../../test/openssl.ts';
import { startEmbeddedPostgres } from '../src/embedded-postgres.ts';
import type { EmbeddedPostgres } from '../src/embedded-postgres.ts';
import { serverAccount } from '../src/postgres-binaries.ts';

let openssl: OpenSsl;
let dataDir: string;
let filesDir: string;
let server: EmbeddedPostgres;

beforeAll(async () => {
  openssl = await OpenSsl.open();
  dataDir = await mkdtemp(join(tmpdir(), `evander-jest-${process.pid}-`));
  filesDir = await mkdtemp(join(tmpdir(), 'evander-postgres-tls-'));
  const root = await openssl.root('/O=Test/CN=Database root');
  const stranger = await openssl.root('/O=Test/CN=Another root');
  const certificate = await openssl.certificate({
    subject: '/CN=database',
    issuer: root,
    extensions: ['subjectAltName=IP:127.0.0.1'],
  });
  await writeFile(join(filesDir, 'root.pem'), root.certificate);
  await writeFile(join(filesDir, 'stranger.pem'), stranger.certificate);
  server = await startWithTls(certificate);
});
afterAll(async () => {
  await server?.stop();
  await openssl?.close();
  for (const dir of [dataDir, filesDir]) await rm(dir, { recursive: true, force: true });
});

async function startWithTls({ certificate, key }: KeyPair): Promise<EmbeddedPostgres> {
  const paths = { ssl_cert_file: join(filesDir, 'server.pem'), ssl_key_file: join(filesDir, 'server.key') };
  await writeFile(paths.ssl_cert_file, certificate);
  await writeFile(paths.ssl_key_file, key, { mode: 0o600 });
  const account = await serverAccount([]);
  if (account) {
    for (const path of [filesDir, ...Object.values(paths)]) await chown(path, account.uid, account.gid);
  }
  return startEmbeddedPostgres({ dataDir, settings: { fsync: 'off', ssl: 'on', ...paths } });
}

/** Whether the server sees the connection as encrypted. */
async function isEncrypted(url: string): Promise<unknown> {
  const database = openDatabase({ url, poolSize: 1, onError: () => {} });
  try {
    const { rows } = await database.query<{ ssl: boolean }>({
      text: 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    });
    return rows[0]?.ssl;
  } finally {
    await database.close();
  }
}

test('sslmode=verify-full with sslrootcert encrypts queries and migrations, and rejects any other server', async () => {
  const verified = (root: string): string =>
    `${server.url}?sslmode=verify-full&sslrootcert=${join(filesDir, root)}`;
  expect(await isEncrypted(verified('root.pem'))).toBe(true);
  await migrate(verified('root.pem'));
  await expect(isEncrypted(verified('stranger.pem'))).rejects.toThrow(/certificate/);
  await expect(migrate(verified('stranger.pem'))).rejects.toThrow(/certificate/);
  await expect(isEncrypted(verified('root.pem').replace('127.0.0.1', 'localhost'))).rejects.toThrow(
    /altnames/,
  );
  await expect(isEncrypted(`${server.url}?sslmode=verify-full`)).rejects.toThrow(/certificate/);
});

test('without sslmode nothing is encrypted', async () => {
  expect(await isEncrypted(server.url)).toBe(false);
});
