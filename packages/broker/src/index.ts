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
  Rejection,
  UnreadableFrame,
  WeakConnection,
} from './presence.ts';
export { readTopic, topicsUnder } from './topics.ts';
export type { TopicKind, Subprotocol, Topics } from './topics.ts';
