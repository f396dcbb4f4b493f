import type { Action, Requests, Responses } from '@evander/ocpp';
import type { Station } from '../station.ts';
import { changeAvailability } from './change-availability.ts';
import { changeConfiguration } from './change-configuration.ts';
import { clearCache } from './clear-cache.ts';
import { dataTransfer } from './data-transfer.ts';
import { getConfiguration } from './get-configuration.ts';
import { remoteStartTransaction } from './remote-start-transaction.ts';
import { remoteStopTransaction } from './remote-stop-transaction.ts';
import { reset } from './reset.ts';
import { triggerMessage } from './trigger-message.ts';
import { unlockConnector } from './unlock-connector.ts';

/** Answers one command. What it sets off comes after the answer: `station.afterAnswer`. */
export type Handler<A extends Action> = (station: Station, request: Requests[A]) => Responses[A];

/** The commands that the station offers; to any other it answers NotSupported. */
export const messages: { readonly [A in Action]?: Handler<A> } = {
  ChangeAvailability: changeAvailability,
  ChangeConfiguration: changeConfiguration,
  ClearCache: clearCache,
  DataTransfer: dataTransfer,
  GetConfiguration: getConfiguration,
  RemoteStartTransaction: remoteStartTransaction,
  RemoteStopTransaction: remoteStopTransaction,
  Reset: reset,
  TriggerMessage: triggerMessage,
  UnlockConnector: unlockConnector,
};
