import type { Log } from '@evander/process';
import type { FtpServerOptions } from 'ftp-srv';
import { lookup } from 'node:dns/promises';
import type { Server } from 'node:net';
import type { FilesByLink } from './by-link.ts';
import { IDLE_MS, LinkFileSystem } from './ftp-file-system.ts';
import type { FtpConnection } from './ftp-file-system.ts';

export interface FtpOptions {
  /** URL at which stations reach it, such as ftp://csms.example:2121. */
  url: string;
  port: number;
  passivePorts: { first: number; last: number };
}

const MAX_CONNECTIONS = 200;
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;
/** Only what downloads and uploads need: no deleting, renaming or creating directories. */
const COMMANDS = (
  'USER PASS QUIT SYST FEAT HELP NOOP OPTS TYPE MODE STRU ALLO PWD XPWD CWD XCWD CDUP XCUP PASV EPSV PORT EPRT ' +
  'LIST NLST SIZE REST RETR STOR APPE ABOR'
).split(' ');

/**
 * Serves files over FTP, for stations that support nothing else. As over HTTP, a link is all that is needed: any user and password are accepted,
 * but nothing is visible without a token. Resolves with the function that stops it; rejects if the port is in use.
 */
export async function startFtp(
  options: FtpOptions & { host: string; byLink: FilesByLink; log: Log },
): Promise<() => Promise<void>> {
  const { host, port, byLink, log } = options;
  // Loaded only if FTP is enabled.
  const library = await import('ftp-srv');
  const server = withoutSignals(() => new library.FtpSrv(serverOptions(options)));
  const sockets = (server as unknown as { server: Server }).server;
  sockets.maxConnections = MAX_CONNECTIONS;
  server.on('login', ({ connection }, resolve) => {
    const fs = new LinkFileSystem(byLink, connection as unknown as FtpConnection, log);
    resolve({ fs: fs as never });
  });
  const onConnect = ({ connection }: { connection: FtpConnection }): unknown =>
    connection.commandSocket.setTimeout(IDLE_MS);
  (server as NodeJS.EventEmitter).on('connect', onConnect);
  server.on('client-error', ({ error }) => log.debug({ err: error }, 'an FTP connection broke'));
  await server.listen();
  log.info({ host, port, url: options.url }, 'FTP server started');
  return () => server.close() as Promise<void>;
}

function serverOptions({
  url,
  host,
  port,
  passivePorts,
  log,
}: FtpOptions & { host: string; log: Log }): FtpServerOptions {
  const { hostname } = new URL(url);
  const passiveAddress = async (remote: string): Promise<string> =>
    isLoopback(remote) ? '127.0.0.1' : (await lookup(hostname, { family: 4 })).address;
  return {
    url: `ftp://${host.includes(':') ? `[${host}]` : host}:${port}`,
    // ftp-srv accepts a function too; so the name is resolved for each transfer.
    pasv_url: passiveAddress as never,
    pasv_min: passivePorts.first,
    pasv_max: passivePorts.last,
    anonymous: true,
    whitelist: COMMANDS,
    greeting: 'Evander',
    log: quiet(log),
  };
}

function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\./.test(address) || address === '::1';
}

// ftp-srv would exit the process at a signal, before the graceful shutdown.
function withoutSignals<T>(create: () => T): T {
  const before = SIGNALS.map((signal) => new Set<unknown>(process.listeners(signal)));
  const created = create();
  SIGNALS.forEach((signal, i) => {
    for (const listener of process.listeners(signal))
      if (!before[i]?.has(listener)) process.off(signal, listener);
  });
  return created;
}

// ftp-srv logs client errors as errors, and its messages may contain links and passwords.
function quiet(log: Log): object {
  const nothing = (): void => {};
  const note = (error: unknown): void => {
    if (error instanceof Error) log.debug({ err: error }, 'an FTP command was refused');
  };
  const own = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: note, child: () => own };
  return own;
}
