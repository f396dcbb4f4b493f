/** The subprotocols that travel on MQTT, named as in the WebSocket handshake. */
export type Subprotocol = 'ocpp1.6';

/** The topics under one prefix. `in` leads to managers, `out` to the gateway that holds the station. */
export interface Topics {
  in(subprotocol: Subprotocol, stationId: string): string;
  out(subprotocol: Subprotocol, stationId: string): string;
  /** A manager tells the gateway here that a station's result has been taken in and need not be sent again. */
  ack(subprotocol: Subprotocol, stationId: string): string;
  /** What one gateway tells of its connections. */
  presence(gatewayId: string): string;
  /** A manager asks all gateways here to announce all their connections, or to close some. */
  presenceRequest: string;
  /** Managers take station traffic and presence from here, each message by one of them; all of them hear what is completed. */
  managerFilters: string[];
  /**
   * Every gateway hears of all connections, to know when one of its own has been replaced elsewhere, and of all completed
   * results, because a result may outlive the connection that it came in on.
   */
  gatewayFilters: string[];
}

export type TopicKind = 'in' | 'out' | 'ack' | 'presence' | 'presenceRequest';

export function topicsUnder(prefix: string): Topics {
  return {
    in: (subprotocol, stationId) => `${prefix}/in/${subprotocol}/${toLevel(stationId)}`,
    out: (subprotocol, stationId) => `${prefix}/out/${subprotocol}/${toLevel(stationId)}`,
    ack: (subprotocol, stationId) => `${prefix}/ack/${subprotocol}/${toLevel(stationId)}`,
    presence: (gatewayId) => `${prefix}/presence/${gatewayId}`,
    presenceRequest: `${prefix}/presence-request`,
    managerFilters: [
      `$share/manager/${prefix}/in/ocpp1.6/#`,
      `$share/manager/${prefix}/presence/+`,
      `${prefix}/ack/ocpp1.6/#`,
    ],
    gatewayFilters: [`${prefix}/presence/+`, `${prefix}/presence-request`, `${prefix}/ack/ocpp1.6/#`],
  };
}

/** Which kind a topic is, and whose: the station's id, or for presence the gateway's. */
export function readTopic(prefix: string, topic: string): { kind: TopicKind; id: string } | undefined {
  if (!topic.startsWith(`${prefix}/`)) return undefined;
  const levels = topic.slice(prefix.length + 1).split('/');
  const [kind, second, third] = levels;
  if (kind === 'presence-request' && levels.length === 1) return { kind: 'presenceRequest', id: '' };
  if (kind === 'presence' && second && levels.length === 2) return { kind, id: second };
  const isOfStation = kind === 'in' || kind === 'out' || kind === 'ack';
  if (isOfStation && second === 'ocpp1.6' && third && levels.length === 3)
    return { kind, id: fromLevel(third) };
  return undefined;
}

// `/ + #` and control characters cannot stand in a topic level; `%` is encoded too, or it could not be told apart.
// eslint-disable-next-line no-control-regex
const UNFIT = /[%/+#\u0000-\u001f\u007f]/g;

function toLevel(stationId: string): string {
  return stationId.replace(
    UNFIT,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function fromLevel(level: string): string {
  return level.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
