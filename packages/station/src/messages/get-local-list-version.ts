import type { Requests, Responses } from '@evander/ocpp';
import type { Station } from '../station.ts';

/** §5.10: -1 where there are no local lists. */
export function getLocalListVersion(
  { localList }: Station,
  _request: Requests['GetLocalListVersion'],
): Responses['GetLocalListVersion'] {
  return { listVersion: localList.isSupported ? localList.version : -1 };
}
