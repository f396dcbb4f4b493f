export { BrokerClient } from './client.ts';
export type { BrokerOptions } from './client.ts';
export { startEmbeddedBroker } from './embedded-broker.ts';
export type { EmbeddedBroker, EmbeddedBrokerOptions } from './embedded-broker.ts';
export { decodeEnvelope, encodeEnvelope } from './envelope.ts';
export type { CallEnvelope, Envelope, ErrorEnvelope, ResultEnvelope } from './envelope.ts';
export { decodeObject } from './payload.ts';
export {
  ConnectionClock,
  decodeCloseRequest,
  decodePresence,
  encodeCloseRequest,
  encodePresence,
  listingsOf,
} from './presence.ts';
export type {
  Connection,
  Listing,
  Presence,
  TurnedAway,
  UnreadableFrame,
  WeakConnection,
} from './presence.ts';
export { readTopic, topicsUnder } from './topics.ts';
export type { Road, Subprotocol, Topics } from './topics.ts';
