import { ERROR_CODES, isAction, mayBeSentBy, type CommandAction } from '@evander/ocpp';
import type { ScriptedAnswer } from '../faults/answers.ts';
import { UsageError } from '../options/usage-error.ts';

/** Reads scripted answers in the form `--answer ACTION=HOW`. Throws UsageError. */
export function readAnswers(texts: readonly string[]): { [A in CommandAction]?: ScriptedAnswer } {
  const answers: { [A in CommandAction]?: ScriptedAnswer } = {};
  for (const text of texts) {
    const [action = '', how = ''] = text.split('=');
    if (!isAction(action) || !mayBeSentBy('manager', action))
      throw new UsageError(`--answer ${text}: give ACTION=HOW with an action that a CSMS sends`);
    answers[action] = readAnswer(how, text);
  }
  return answers;
}

function readAnswer(how: string, text: string): ScriptedAnswer {
  if (how === 'silence' || how === 'dropSocket' || how === 'crash') return how;
  const [kind, value = ''] = how.split(':');
  const code = ERROR_CODES.find((one) => one === value);
  if (kind === 'error' && code) return { error: code };
  if (kind === 'after' && /^\d+$/.test(value)) return { afterMs: Number(value) };
  if (/^[A-Z]\w+$/.test(how)) return { response: { status: how } };
  throw new UsageError(
    `--answer ${text}: give silence, dropSocket, crash, after:MS, a status, or error: with one of ${ERROR_CODES.join(', ')}`,
  );
}
