import { DIALECTS } from '@evander/ocpp';
import type { Dialect } from '@evander/ocpp';
import { HAS2BE_MESSAGE_IDS, HAS2BE_WORDING } from './has2be-wording.ts';
import type { PncAction } from './tunnel.ts';
import type { Wording, Wordings } from './wording.ts';

const WORDINGS: { readonly [D in Dialect]: Wordings } = { oca: {}, has2be: HAS2BE_WORDING };
const MESSAGE_IDS: { readonly [D in Dialect]: { readonly [A in PncAction]?: readonly string[] } } = {
  oca: {},
  has2be: HAS2BE_MESSAGE_IDS,
};

/** A dialect's translation of an action. */
export function wordingOf(dialect: Dialect, action: PncAction): Wording {
  return WORDINGS[dialect][action] ?? {};
}

/** The messageIds of an action in a dialect: the one to send first, then those that older stations use. */
export function messageIdsOf(dialect: Dialect, action: PncAction): readonly string[] {
  return MESSAGE_IDS[dialect][action] ?? [action];
}

/** The action of a messageId, case-insensitively; undefined when the dialect has no such action. */
export function pncActionOf(dialect: Dialect, messageId: string): PncAction | undefined {
  const lowerCaseId = messageId.toLowerCase();
  return PNC_ACTIONS.find((action) =>
    messageIdsOf(dialect, action).some((id) => id.toLowerCase() === lowerCaseId),
  );
}

/** Every action of the tunnel, by OCA's names. */
export const PNC_ACTIONS = Object.keys(DIALECTS.oca.actions) as PncAction[];
