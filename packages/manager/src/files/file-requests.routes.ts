import { Type } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext } from '../api-context.ts';
import { Signed } from '../campaigns/campaigns.schemas.ts';
import type { CommandRow } from '../commands/command-list.store.ts';
import { CommandAnswer, CommandOptions, DEFAULT_WAIT_SECONDS } from '../commands/commands.schemas.ts';
import type { CommandQuery } from '../commands/commands.schemas.ts';
import { sendCommand } from '../commands/send-command.ts';
import type { Db } from '../database/database.ts';
import { oneOf, readPeriod, readTime, StationParams, TimeText } from '../http/fields.ts';
import { commandIdOf } from '../http/idempotency.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import * as jobList from '../jobs/job-list.store.ts';
import * as jobs from '../jobs/jobs.store.ts';
import * as signedUpdates from '../jobs/signed-updates.store.ts';
import { diagnosticsRequest, firmwareRequest, isSigned, logRequest } from './file-requests.ts';
import type { FileRequest } from './file-requests.ts';
import { findFile } from './files.schemas.ts';
import type { Transport } from './links.ts';

const TransferOptions = {
  transport: Type.Optional(
    oneOf(
      ['auto', 'http', 'ftp'],
      'How the file is transferred. auto (default): FTP for stations that support nothing else, if Evander serves FTP',
    ),
  ),
  retries: Type.Optional(Type.Integer({ minimum: 0, description: 'Retries after the first attempt' })),
  retryInterval: Type.Optional(Type.Integer({ minimum: 0, description: 'Seconds' })),
};
const Update = Type.Object(
  {
    fileId: Type.String({ format: 'uuid' }),
    retrieveAt: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'When the download may start; by default immediately',
      }),
    ),
    installAt: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'When to install a signed update; by default after the download',
      }),
    ),
    signed: Type.Optional(Signed),
    ...TransferOptions,
  },
  { additionalProperties: false, title: 'FirmwareUpdate' },
);
const Period = {
  from: Type.Optional(TimeText),
  to: Type.Optional(TimeText),
  ...TransferOptions,
};
const Diagnostics = Type.Object(Period, { additionalProperties: false });
const Log = Type.Object(
  { logType: oneOf(['DiagnosticsLog', 'SecurityLog']), ...Period },
  { additionalProperties: false },
);
const tags = ['files'];
const config = { role: 'operator' as const, problems: [409, 422, 429], sendsCommand: true };
const response = { 200: CommandAnswer, 202: CommandAnswer };

/** Routes that send commands for files that Evander serves or receives; it creates the links. */
export function fileRequestRoutes(app: App, context: ApiContext): void {
  addFirmwareUpdate(app, context);
  const { links } = context.files;
  app.post(
    '/stations/:stationId/diagnostics',
    {
      config,
      schema: {
        operationId: 'fetchDiagnostics',
        summary: 'Have a station upload its diagnostics here (GetDiagnostics)',
        tags,
        params: StationParams,
        querystring: CommandOptions,
        body: Diagnostics,
        response,
      },
    },
    async (request, reply) => {
      const { body } = request;
      const options = { ...body, ...readPeriod(body), transport: await transportFor(request, context) };
      return send(request, reply, { context, fileRequest: diagnosticsRequest(options, links) });
    },
  );
  app.post(
    '/stations/:stationId/logs',
    {
      config,
      schema: {
        operationId: 'fetchLog',
        summary: 'Have a station upload a log here (GetLog)',
        tags,
        params: StationParams,
        querystring: CommandOptions,
        body: Log,
        response,
      },
    },
    async (request, reply) => {
      const { logType, ...body } = request.body;
      const transport = await transportFor(request, context);
      const fileRequest = logRequest(logType, { ...body, ...readPeriod(body), transport }, links);
      return send(request, reply, { context, fileRequest });
    },
  );
}

function addFirmwareUpdate(app: App, context: ApiContext): void {
  const { database, files } = context;
  app.post(
    '/stations/:stationId/firmware-updates',
    {
      config,
      schema: {
        operationId: 'updateFirmware',
        summary: 'Have a station fetch firmware from here (UpdateFirmware or SignedUpdateFirmware)',
        tags,
        params: StationParams,
        querystring: CommandOptions,
        body: Update,
        response,
      },
    },
    async (request, reply) => {
      const { fileId, signed: mode = 'auto', retries, retryInterval, ...times } = request.body;
      const file = await findFile(database, fileId);
      if (file.kind !== 'firmware')
        throw new Problem(422, `file ${fileId} is not firmware: a station uploaded it`);
      if (mode === true && !isSigned(file))
        throw new Problem(
          422,
          `file ${fileId} has no signature and signing certificate; PUT them to /api/v1/files/${fileId}, or send signed: false`,
        );
      const { stationId } = request.params;
      const signed =
        mode === true ||
        (mode === 'auto' && isSigned(file) && (await signedUpdates.areKnown(database, stationId)));
      const retrieveAt = readTime(times.retrieveAt, 'retrieveAt') ?? new Date();
      const installAt = readTime(times.installAt, 'installAt') ?? undefined;
      if (installAt && !signed)
        throw new Problem(422, 'installAt is only for signed updates; omit it', { field: 'installAt' });
      const transport = await transportFor(request, context);
      const options = { signed, retrieveAt, installAt, retries, retryInterval, transport };
      const fileRequest = firmwareRequest(file, options, files.links);
      // A plain update cannot have a time of installation.
      const hasFallback = mode === 'auto' && signed && installAt === undefined;
      return send(request, reply, { context, fileRequest, hasFallback });
    },
  );
}

type TransferRequest = FastifyRequest<{
  Params: { stationId: string };
  Body: { transport?: Transport | 'auto' };
}>;

async function transportFor(
  { params: { stationId }, body: { transport = 'auto' } }: TransferRequest,
  { database, files }: ApiContext,
): Promise<Transport> {
  return transport === 'auto' ? files.links.transportOf(database, stationId) : transport;
}

type CommandRequest = FastifyRequest<{ Params: { stationId: string }; Querystring: CommandQuery }>;

async function send(
  request: CommandRequest,
  reply: Pick<FastifyReply, 'code'>,
  {
    context,
    fileRequest,
    hasFallback,
  }: { context: ApiContext; fileRequest: FileRequest; hasFallback?: boolean },
): Promise<CommandRow & { jobId: number | null }> {
  const { action, request: body, keepLink } = fileRequest;
  const requestedBy = await context.keys.nameOf(request);
  const { stationId } = request.params;
  const alongside = async (db: Db, commandId: string): Promise<void> => {
    await keepLink(db, { stationId, commandId });
    if (hasFallback) await jobs.allowFallback(db, commandId);
  };
  const sent = { stationId, action, request: body, alongside, requestedBy, ...commandIdOf(request) };
  const untilMs = Date.now() + (request.query.waitSeconds ?? DEFAULT_WAIT_SECONDS) * 1000;
  const first = await sendCommand(context.callMaker, sent, request.query);
  const other = first.status === 'failed' ? await jobs.otherCommand(context.database, first.commandId) : null;
  const command = (other && (await context.callMaker.outcome(other, untilMs - Date.now()))) || first;
  reply.code(command.completedAt === null ? 202 : 200);
  return { ...command, jobId: await jobList.idByCommand(context.database, command.commandId) };
}
