import { describe, expect, test } from '@jest/globals';
import { ACTIONS, isAction, mayBeSentBy } from '../src/index.ts';
import type { Action } from '../src/index.ts';

const actions = Object.keys(ACTIONS) as Action[];

describe('the table of actions', () => {
  test('contains the 28 actions of OCPP 1.6 and the 11 of its security extension', () => {
    expect(actions).toHaveLength(39);
    expect(actions.filter((action) => ACTIONS[action].profile === 'Security')).toHaveLength(11);
  });

  test('is case-sensitive', () => {
    expect(isAction('BootNotification')).toBe(true);
    for (const name of [
      'bootNotification',
      'BootNotification ',
      'BootNotificationRequest',
      '',
      'TransactionEvent',
    ])
      expect(isAction(name)).toBe(false);
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('rejects %s', (name) => {
    expect(isAction(name)).toBe(false);
  });

  test('defines who may send which action', () => {
    expect([mayBeSentBy('station', 'BootNotification'), mayBeSentBy('manager', 'BootNotification')]).toEqual([
      true,
      false,
    ]);
    expect([mayBeSentBy('station', 'Reset'), mayBeSentBy('manager', 'Reset')]).toEqual([false, true]);
    expect([mayBeSentBy('station', 'DataTransfer'), mayBeSentBy('manager', 'DataTransfer')]).toEqual([
      true,
      true,
    ]);
    expect(actions.filter((action) => mayBeSentBy('station', action))).toHaveLength(14);
    expect(actions.filter((action) => mayBeSentBy('manager', action))).toHaveLength(26);
  });

  test('is lenient if rejecting would lose data or be meaningless', () => {
    expect(actions.filter((action) => ACTIONS[action].lenient).sort()).toEqual([
      'BootNotification',
      'DiagnosticsStatusNotification',
      'FirmwareStatusNotification',
      'LogStatusNotification',
      'MeterValues',
      'SecurityEventNotification',
      'SignCertificate',
      'SignedFirmwareStatusNotification',
      'StartTransaction',
      'StatusNotification',
      'StopTransaction',
    ]);
    expect(actions.filter((action) => ACTIONS[action].transaction).sort()).toEqual([
      'MeterValues',
      'StartTransaction',
      'StopTransaction',
    ]);
  });
});
