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

/** How a dialect words an action. */
export function wordingOf(dialect: Dialect, action: PncAction): Wording {
  return WORDINGS[dialect][action] ?? {};
}

/** The messageIds of an action in a dialect: the one to send first, then what older stations call it. */
export function messageIdsOf(dialect: Dialect, action: PncAction): readonly string[] {
  return MESSAGE_IDS[dialect][action] ?? [action];
}

/** The action that a messageId means, whatever its case; undefined when the dialect has none of that name. */
export function pncActionOf(dialect: Dialect, messageId: string): PncAction | undefined {
  const desired = messageId.toLowerCase();
  return PNC_ACTIONS.find((action) =>
    messageIdsOf(dialect, action).some((id) => id.toLowerCase() === desired),
  );
}

/** Every action of the tunnel, in the words of OCA. */
export const PNC_ACTIONS = Object.keys(DIALECTS.oca.actions) as PncAction[];
