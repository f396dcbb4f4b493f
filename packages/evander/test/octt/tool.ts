import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import { parseFrame } from '@evander/ocpp';
import type { Requests, Responses } from '@evander/ocpp';
import { Station } from '@evander/station';
import type { StationOptions } from '@evander/station';
import { apiOf, eventually, startServices } from '../system/fixture.ts';
import type { Answer, Services } from '../system/fixture.ts';

/** A call and its answer as sent over the socket. */
export interface Exchange {
  from: 'CP' | 'CSMS';
  action: string;
  request: Record<string, unknown>;
  response?: Record<string, unknown>;
  error?: string;
}

type Body = Record<string, unknown>;

/** The certification tool and its operator: an operator at the API and a station driven step by step. */
export class Tool {
  readonly station: Station;
  readonly exchanges: Exchange[] = [];
  readonly #open = new Map<string, Exchange>();
  readonly api: (method: string, path: string, body?: object) => Promise<Answer>;

  constructor(station: Station, api: Tool['api']) {
    this.station = station;
    this.api = api;
    station.on('sent', (data) => this.#see('CP', data));
    station.on('received', (data) => this.#see('CSMS', data));
  }

  /** The operator sends a command; returns its outcome. */
  async send(action: string, request: object, query = ''): Promise<Body> {
    const path = `/stations/${this.station.stationId}/commands/${action}${query}`;
    const { status, body = {} } = await this.api('POST', path, request);
    if (status !== 200) throw new Error(`${action} was answered ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  /** The station, or a part of it, as shown by the API. */
  async shown(path = ''): Promise<Body> {
    const { status, body = {} } = await this.api('GET', `/stations/${this.station.stationId}${path}`);
    expect(status).toBe(200);
    return body;
  }

  /** The items of one of the station's lists. */
  async listed(path: string): Promise<Body[]> {
    return (await this.shown(path)).items as Body[];
  }

  /** All transactions of the station. */
  async transactions(): Promise<Body[]> {
    const { body } = await this.api('GET', `/transactions?stationId=${this.station.stationId}`);
    return body?.items as Body[];
  }

  /** The CSMS's requests of one action. */
  sentByCsms<A extends keyof Requests>(action: A): Requests[A][] {
    return this.#of('CSMS', action).map(({ request }) => request) as never;
  }

  /** The CSMS's answers to one action. */
  answersOfCsms<A extends keyof Responses>(action: A): Responses[A][] {
    return this.#of('CP', action).map(({ response }) => response) as never;
  }

  /** Waits until the station has sent this many calls of an action and all are answered. */
  async until(action: keyof Requests, count = 1): Promise<void> {
    await eventually(() => {
      expect(this.#of('CP', action).filter(({ response }) => response).length).toBeGreaterThanOrEqual(count);
    });
  }

  /** State Booted. */
  async boot(): Promise<void> {
    await this.station.connect();
    expect(await this.station.boot()).toMatchObject({ status: 'Accepted' });
    await eventually(async () => expect(await this.shown()).toMatchObject({ connected: true }));
  }

  status(
    connectorId: number,
    status: Requests['StatusNotification']['status'],
    fields = {},
  ): Promise<object> {
    return this.station.call('StatusNotification', { connectorId, status, errorCode: 'NoError', ...fields });
  }

  /** State Authorized. */
  async authorize(idTag: string = TAGS.valid): Promise<void> {
    expect(await this.station.call('Authorize', { idTag })).toMatchObject({
      idTagInfo: { status: 'Accepted' },
    });
  }

  /** State Charging; returns the transaction id. */
  async charge(fields: Partial<Requests['StartTransaction']> = {}): Promise<number> {
    const { idTag = TAGS.valid } = fields;
    await this.authorize(idTag);
    await this.status(1, 'Preparing');
    const transactionId = await this.start({ idTag, ...fields });
    await this.status(1, 'Charging');
    return transactionId;
  }

  /** Sends StartTransaction, which must be accepted; returns the transaction id. */
  async start(fields: Partial<Requests['StartTransaction']> = {}): Promise<number> {
    const start = { connectorId: 1, idTag: TAGS.valid, meterStart: 1000, timestamp: now(), ...fields };
    const { idTagInfo, transactionId } = await this.station.call('StartTransaction', start);
    expect(idTagInfo.status).toBe('Accepted');
    return transactionId;
  }

  /** StopTransaction. */
  async stop(transactionId: number, fields: Partial<Requests['StopTransaction']> = {}): Promise<void> {
    await this.station.call('StopTransaction', {
      transactionId,
      meterStop: 2000,
      timestamp: now(),
      ...fields,
    });
  }

  #of(from: Exchange['from'], action: string): Exchange[] {
    return this.exchanges.filter((one) => one.from === from && one.action === action);
  }

  #see(from: Exchange['from'], data: string | Buffer): void {
    const frame = parseFrame(data.toString());
    if (frame.type === 2) {
      const exchange: Exchange = { from, action: frame.action, request: frame.payload };
      this.#open.set(`${from} ${String(frame.id)}`, exchange);
      this.exchanges.push(exchange);
    } else if (frame.type === 3 || frame.type === 4) {
      const call = this.#open.get(`${from === 'CP' ? 'CSMS' : 'CP'} ${String(frame.id)}`);
      if (call && frame.type === 3) call.response = frame.payload;
      if (call && frame.type === 4) call.error = frame.code;
    }
  }
}

/** Tags that the operator of the CSMS has set up. */
export const TAGS = {
  valid: 'VALID',
  other: 'OTHER',
  invalid: 'NOBODY',
  expired: 'EXPIRED',
  blocked: 'BLOCKED',
  parent: 'GROUP',
} as const;

export function now(): string {
  return new Date().toISOString();
}

/** One CSMS per file of cases and one station per case. Every call of a station must have a CALLRESULT. */
export function certification({ tls = false } = {}): {
  open(caseId: string, options?: Partial<StationOptions>): Promise<Tool>;
  url(): string;
  secureUrl(): string;
  /** The CSMS's root certificate, PEM. */
  root(): Promise<string>;
  api(): Tool['api'];
} {
  let services: Services;
  let url: string;
  let secureUrl: string;
  let apiUrl: string;
  let api: Tool['api'];
  let tools: Tool[] = [];
  beforeAll(async () => {
    services = await startServices();
    const manager = await services.startManager();
    const gateway = await services.startGateway([manager], { tls });
    url = gateway.url;
    secureUrl = gateway.secureUrl ?? '';
    apiUrl = manager.apiUrl;
    api = apiOf(apiUrl);
    const group = { parentIdTag: TAGS.parent };
    await api('PUT', `/tags/${TAGS.valid}`, group);
    await api('PUT', `/tags/${TAGS.other}`, group);
    await api('PUT', `/tags/${TAGS.expired}`, { expiryDate: '2020-01-01T00:00:00Z' });
    await api('PUT', `/tags/${TAGS.blocked}`, { status: 'Blocked' });
  });
  afterEach(async () => {
    for (const { station, exchanges } of tools) {
      expect(station.violations).toEqual([]);
      // Its last call may have just been sent.
      await eventually(() =>
        expect(exchanges.filter(({ from, response }) => from === 'CP' && !response)).toEqual([]),
      );
      await station.close();
    }
    tools = [];
  });
  afterAll(() => services.close());
  return {
    url: () => url,
    secureUrl: () => secureUrl,
    root: async () => (await fetch(`${apiUrl}/pki/root.pem`)).text(),
    api: () => api,
    open: async (caseId, options = {}) => {
      const station = new Station({
        stationId: caseId,
        url,
        connectors: 2,
        seed: 1,
        speed: Infinity,
        reconnect: { minMs: 5, maxMs: 50 },
        retryIntervalMs: 50,
        ...options,
      });
      const tool = new Tool(station, api);
      tools.push(tool);
      return tool;
    },
  };
}
