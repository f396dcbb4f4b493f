import type { Requests, Responses } from '@evander/ocpp';
import type { Station } from '../station.ts';

/** §5.15: Full replaces, Differential adds, changes and removes. */
export function sendLocalList(
  { localList }: Station,
  request: Requests['SendLocalList'],
): Responses['SendLocalList'] {
  return { status: localList.update(request) };
}
