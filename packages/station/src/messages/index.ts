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
import { getLocalListVersion } from './get-local-list-version.ts';
import { sendLocalList } from './send-local-list.ts';
import { reserveNow } from './reserve-now.ts';
import { cancelReservation } from './cancel-reservation.ts';
import { setChargingProfile } from './set-charging-profile.ts';
import { clearChargingProfile } from './clear-charging-profile.ts';
import { getCompositeSchedule } from './get-composite-schedule.ts';

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
  GetLocalListVersion: getLocalListVersion,
  SendLocalList: sendLocalList,
  ReserveNow: reserveNow,
  CancelReservation: cancelReservation,
  SetChargingProfile: setChargingProfile,
  ClearChargingProfile: clearChargingProfile,
  GetCompositeSchedule: getCompositeSchedule,
};
