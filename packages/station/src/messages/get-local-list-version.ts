import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';

/** §5.10: -1 if local lists are not supported. */
export function getLocalListVersion(
  { localList }: Pick<CommandedStation, 'localList'>,
  _request: Requests['GetLocalListVersion'],
): Responses['GetLocalListVersion'] {
  return { listVersion: localList.isSupported ? localList.version : -1 };
}
