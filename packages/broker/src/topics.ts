/** Subprotocols carried over MQTT, named as in the WebSocket handshake. */
export type Subprotocol = 'ocpp1.6';

/** The topics under a prefix. `in` leads to managers, `out` to the station's gateway. */
export interface Topics {
  in(subprotocol: Subprotocol, stationId: string): string;
  out(subprotocol: Subprotocol, stationId: string): string;
  /** A manager acknowledges a station's result here, so that the gateway stops repeating it. */
  ack(subprotocol: Subprotocol, stationId: string): string;
  /** A gateway's announcements about its connections. */
  presence(gatewayId: string): string;
  /** Managers use it to ask all gateways to list their connections, or to close some. */
  presenceRequest: string;
  /** Managers receive station traffic and presence here, each message at one of them; all of them receive all acknowledgements. */
  managerFilters: string[];
  /**
   * Every gateway receives all connections, to notice when one of its own is replaced elsewhere, and all acknowledgements, because a result
   * may outlive its connection.
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

/** A topic's kind and owner: the station's id, or the gateway's for presence. */
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

// `/ + #` and control characters are not allowed in a topic level; `%` must be encoded too, to stay unambiguous.
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[%/+#\u0000-\u001f\u007f]/g;

function toLevel(stationId: string): string {
  return stationId.replace(
    FORBIDDEN,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function fromLevel(level: string): string {
  return level.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
