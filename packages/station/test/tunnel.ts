import { VENDOR_IDS, type Dialect } from '../src/options/dialect.ts';
import type { Station, StationOptions } from '../src/index.ts';
import type { Manager } from './manager.ts';
import { bootPair } from './setup.ts';

type Outer = { status: string; data?: string };

/** The manager's end of Plug & Charge. */
export type Tunnel = {
  manager: Manager;
  station: Station;
  /** What came up, in order: messageId and what was within. */
  received: [messageId: string, request: unknown][];
  /** Answers by messageId; those that are objects travel in Accepted. */
  answers: Record<string, object | string>;
  /** Sends down; anything but text is made JSON. */
  send: (messageId: string, data: unknown) => Promise<Outer>;
  /** What was within the answer. */
  ask: (messageId: string, data: unknown) => Promise<unknown>;
  /** Resolves with what was within, once so many of these came. */
  until: (messageId: string, times?: number) => Promise<Record<string, string>>;
};

/** A station that speaks one dialect, connected and accepted. */
export async function openTunnel(pnc: Dialect, options: Partial<StationOptions> = {}): Promise<Tunnel> {
  const { manager, station } = await bootPair({ stationId: 'CP1', pnc, ...options });
  const received: Tunnel['received'] = [];
  const answers: Tunnel['answers'] = {};
  manager.answers.DataTransfer = ({ vendorId, messageId = '', data = '' }) => {
    if (vendorId !== VENDOR_IDS[pnc]) return { status: 'UnknownVendorId' };
    received.push([messageId, JSON.parse(data)]);
    const answer = answers[messageId] ?? 'UnknownMessageId';
    return typeof answer === 'string'
      ? { status: answer }
      : { status: 'Accepted', data: JSON.stringify(answer) };
  };
  const send = async (messageId: string, data: unknown): Promise<Outer> =>
    manager.command('DataTransfer', {
      vendorId: VENDOR_IDS[pnc],
      messageId,
      data: typeof data === 'string' ? data : JSON.stringify(data),
    });
  const ask = async (messageId: string, data: unknown) =>
    JSON.parse((await send(messageId, data)).data ?? '') as unknown;
  const until = async (messageId: string, times = 1) => {
    const these = () => received.filter(([id]) => id === messageId);
    await manager.until(() => these().length >= times);
    return these().at(-1)?.[1] as Record<string, string>;
  };
  return { manager, station, received, answers, send, ask, until };
}
