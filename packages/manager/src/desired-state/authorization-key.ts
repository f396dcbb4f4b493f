import { randomBytes } from 'node:crypto';
import { answerTo, send } from './desired-state.ts';
import type { DesiredState } from './desired-state.ts';

/** Bytes of a new key: the maximum of the security extension, and the only length that the older specification allows (ocppj.md AUT.4). */
const KEY_BYTES = 20;

/** A new random AuthorizationKey for ChangeConfiguration, in hex digits. */
export function newAuthorizationKey(): { key: 'AuthorizationKey'; value: string } {
  return { key: 'AuthorizationKey', value: randomBytes(KEY_BYTES).toString('hex').toUpperCase() };
}

/** A new password for a station, known only to the station; Evander stores its hash (ocppj.md AUT.7). */
export const authorizationKey: DesiredState<object> = {
  async next(_desired, { last }) {
    const answer = answerTo('ChangeConfiguration', last);
    if (!answer) return send('ChangeConfiguration', newAuthorizationKey(), 'sends a new AuthorizationKey');
    if (answer.status === 'Accepted' || answer.status === 'RebootRequired') return { do: 'succeeded' };
    // Both keys are accepted until the station reconnects with one of them.
    return { do: 'failed', reason: answer.reason };
  },
};
