import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';

/** §5.15: Full replaces, Differential adds, changes and removes. */
export function sendLocalList(
  { localList }: Pick<CommandedStation, 'localList'>,
  request: Requests['SendLocalList'],
): Responses['SendLocalList'] {
  return { status: localList.update(request) };
}
