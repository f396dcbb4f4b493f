import { Sealer, silentLog } from '@evander/process';
import { openDatabase } from '../../src/database/database.ts';
import { EventFeed } from '../../src/events/feed.ts';
import { outbound } from '../../src/outbound/outbound.ts';
import { WebhookWorker } from '../../src/webhooks/worker.ts';

// The part of a manager that posts events, as a separate process that can be killed.
const [databaseUrl = ''] = process.argv.slice(2);
const log = silentLog();
const database = openDatabase({ url: databaseUrl, poolSize: 5, onError: () => {} });
const feed = new EventFeed({ database, databaseUrl, log });
await feed.start();
new WebhookWorker({
  database,
  feed,
  sealer: new Sealer('a secret'),
  outbound: outbound({ allowPrivate: true }),
  metrics: { countWebhook: () => {} },
  retryPolicy: { retryMs: 100, maxRetryMs: 400, maxDownMs: 400, giveUpMs: 60_000 },
  timeoutMs: 5000,
  leaseMs: 1500,
  log,
}).start();
