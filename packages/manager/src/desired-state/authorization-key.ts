import { randomBytes } from 'node:crypto';
import { answerTo, send } from './desired-state.ts';
import type { DesiredState } from './desired-state.ts';

/** Bytes of a new key: the most that the security extension allows, and the only length of the older text (ocppj.md AUT.4). */
const KEY_BYTES = 20;

/** A fresh AuthorizationKey, as ChangeConfiguration wants it: hex digits. */
export function newAuthorizationKey(): { key: 'AuthorizationKey'; value: string } {
  return { key: 'AuthorizationKey', value: randomBytes(KEY_BYTES).toString('hex').toUpperCase() };
}

/** A new password for a station, known to nobody but it and, as a hash, to us (ocppj.md AUT.7). */
export const authorizationKey: DesiredState<object> = {
  async next(_wanted, { last }) {
    const answer = answerTo('ChangeConfiguration', last);
    if (!answer) return send('ChangeConfiguration', newAuthorizationKey(), 'sends a new AuthorizationKey');
    if (answer.status === 'Accepted' || answer.status === 'RebootRequired') return { do: 'succeeded' };
    // Both keys let the station in until it comes back with one of them.
    return { do: 'failed', reason: answer.reason };
  },
};
