import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';

/** §5.4 */
export function clearCache(
  station: Pick<CommandedStation, 'configuration' | 'authorization'>,
  _request: Requests['ClearCache'],
): Responses['ClearCache'] {
  if (!station.configuration.isTrue('AuthorizationCacheEnabled')) return { status: 'Rejected' };
  station.authorization.cache.clear();
  return { status: 'Accepted' };
}
