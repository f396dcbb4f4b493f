import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';

/** §5.11: starts on a free connector; asks about the tag only if AuthorizeRemoteTxRequests is set. */
export function remoteStartTransaction(
  station: CommandedStation,
  { connectorId, idTag, chargingProfile: profile }: Requests['RemoteStartTransaction'],
): Responses['RemoteStartTransaction'] {
  // §4.2: not before the station is accepted.
  if (!station.registration.isAccepted) return { status: 'Rejected' };
  const candidates =
    connectorId === undefined
      ? station.connectors
      : station.connectors.filter(({ id }) => id === connectorId);
  const connector = candidates.find((one) => one.isFreeFor(idTag));
  if (!connector) return { status: 'Rejected' };
  // §5.11: without smart charging the profile is ignored.
  if (profile && station.configuration.has('SmartCharging')) {
    const isFit = profile.chargingProfilePurpose === 'TxProfile' && profile.transactionId === undefined;
    if (!isFit || !station.chargingProfiles.canTake(profile)) return { status: 'Rejected' };
    station.chargingProfiles.add({ connectorId: connector.id, profile });
  }
  const authorize = station.configuration.isTrue('AuthorizeRemoteTxRequests');
  const { remoteSession } = station.options;
  station.afterAnswer(() =>
    station.chargeSession({ authorize, ...remoteSession, connectorId: connector.id, idTag }),
  );
  return { status: 'Accepted' };
}
