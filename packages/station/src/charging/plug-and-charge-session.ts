import type { IdTagInfo } from '@evander/ocpp';
import type { Authorization } from '../authorization/authorization.ts';
import { CallRefused, CallTimedOut, ConnectionClosed } from '../connection/call-errors.ts';
import type { Caller, StationContext } from '../context/station-context.ts';
import type { ConnectorStatus } from '../options/connector-status.ts';
import type { AuthorizeAnswer, AuthorizeRequest } from '../pnc/messages/authorize.ts';
import type { PlugAndCharge } from '../pnc/plug-and-charge.ts';
import type { Tunnelled } from '../pnc/tunnel.ts';
import type { ChargePlan } from './load-curve.ts';
import type { Session } from './session.ts';

/** Parts of the station that Plug & Charge at a connector uses. */
export type PncChargeContext = StationContext &
  Caller & {
    readonly authorization: Pick<Authorization, 'decideOffline' | 'learn'>;
    readonly pnc: Pick<PlugAndCharge, 'isEnabled' | 'authorize'>;
  };

/** The connector that the car is plugged into. */
type PncConnector = {
  plugIn(): Promise<void>;
  start(idTag: string, plan: ChargePlan): Session;
  setStatus(status: ConnectorStatus): Promise<void>;
};

/** The car's data besides its eMAID, and its demand. */
export type PlugAndChargeOptions = Omit<AuthorizeRequest, 'idToken'> & ChargePlan;

/** The result: the manager's answer unless the station was offline, and the session if there is one. */
export type PlugAndChargeRecord = {
  idTagStatus: IdTagInfo['status'];
  answer?: Tunnelled<AuthorizeAnswer>;
  session?: Session;
};

/** The car is plugged in and presents its contract; if accepted, it charges with the eMAID as its idTag (PNC §5). */
export async function plugAndCharge(
  station: PncChargeContext,
  connector: PncConnector,
  eMAID: string,
  options: PlugAndChargeOptions,
): Promise<PlugAndChargeRecord> {
  if (!station.pnc.isEnabled)
    throw new Error(`${station.stationId} has no Plug & Charge: set options.pnc and ISO15118PnCEnabled`);
  if (eMAID.length > 20)
    throw new Error(`the eMAID ${eMAID} is no idTag: give it without dashes, 20 characters at most`);
  const { certificate, iso15118CertificateHashData, ...plan } = options;
  await connector.plugIn();
  const authorization = await authorize(station, {
    idToken: eMAID,
    ...(certificate !== undefined && { certificate }),
    ...(iso15118CertificateHashData && { iso15118CertificateHashData }),
  });
  if (authorization.idTagStatus !== 'Accepted') return authorization;
  const session = connector.start(eMAID, plan);
  void connector.setStatus('Charging');
  return { ...authorization, session };
}

async function authorize(station: PncChargeContext, request: AuthorizeRequest): Promise<PlugAndChargeRecord> {
  const { idToken } = request;
  if (!station.mayReport) return decideOffline(station, idToken);
  try {
    const answer = await station.pnc.authorize(request);
    // An answer without the required field has already been recorded as a violation.
    if (typeof answer === 'string' || !('idTokenInfo' in answer)) return { idTagStatus: 'Invalid', answer };
    const { cacheExpiryDateTime: expiryDate } = answer.idTokenInfo;
    const idTagStatus = statusOf(answer);
    station.authorization.learn(idToken, { status: idTagStatus, ...(expiryDate && { expiryDate }) });
    return { idTagStatus, answer };
  } catch (error) {
    // The car waits, like a driver with a card; faults of the request itself are the caller's.
    const isUnanswered = [ConnectionClosed, CallTimedOut, CallRefused].some((kind) => error instanceof kind);
    if (!isUnanswered) throw error;
    return decideOffline(station, idToken);
  }
}

/** PNC §5: decides by the list and the cache, if that is allowed. */
async function decideOffline(station: PncChargeContext, eMAID: string): Promise<PlugAndChargeRecord> {
  const mayDecide = station.configuration.isTrue('ContractValidationOffline');
  return { idTagStatus: mayDecide ? station.authorization.decideOffline(eMAID) : 'Invalid' };
}

/** As a 1.6 status; an invalid certificate permits no charging. */
function statusOf({ idTokenInfo, certificateStatus = 'Accepted' }: AuthorizeAnswer): IdTagInfo['status'] {
  const { status } = idTokenInfo;
  if (status === 'Accepted') return certificateStatus === 'Accepted' ? 'Accepted' : 'Invalid';
  if (status === 'Expired' || status === 'ConcurrentTx' || status === 'Invalid') return status;
  return status === 'Unknown' ? 'Invalid' : 'Blocked';
}
