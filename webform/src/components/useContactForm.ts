import { useRef, useState } from 'react';
import { useDesk } from '../desk';
import { Failure } from '../failure';
import type { OpenTicket } from '../memory';
import { send } from '../send';
import type { Strings } from '../strings';
import { type Draft, FIELDS, type FieldName } from '../ticket';
import { problemOf, problemsOf } from '../validation';

export type FieldErrors = Partial<Record<FieldName, string>>;

export type Phase =
  | { name: 'idle' }
  | { name: 'sending' }
  /** The server takes nothing more `until` then, in epoch milliseconds. */
  | { name: 'failed'; failure: Failure; until: number | undefined };

function errorsOf(draft: Draft, strings: Strings): FieldErrors {
  const problems = Object.entries(problemsOf(draft)) as [FieldName, keyof Strings['problems']][];
  return Object.fromEntries(
    problems.map(([field, kind]) => [field, strings.problems[kind][field]]),
  );
}

/** The field a refusal is about, with words for it: the server's own only where they are in English. */
function refusalOf(failure: Failure, strings: Strings, language: string): FieldErrors {
  if (failure.kind === 'too_large') return { message: strings.failures.too_large };
  if (failure.kind !== 'refused' || failure.field === undefined) return {};
  const own = language === 'en' ? failure.serverMessage : undefined;
  return { [failure.field]: own ?? strings.refused };
}

/** The draft, what is wrong with it, and its sending. */
export function useContactForm(onSent: (ticket: OpenTicket) => void) {
  const { api, memory, strings, language } = useDesk();
  const [draft, setDraft] = useState(() => memory.draft());
  const [errors, setErrors] = useState<FieldErrors>({});
  const [phase, setPhase] = useState<Phase>({ name: 'idle' });
  /** Grows whenever the customer has to look at something. */
  const [alerts, setAlerts] = useState(0);
  const busy = useRef(false);

  const check = (field: FieldName, from: Draft) => {
    const problem = problemOf(field, from);
    const text = problem && strings.problems[problem][field];
    setErrors(({ [field]: _, ...rest }) =>
      text === undefined ? rest : { ...rest, [field]: text },
    );
  };

  const change = (field: FieldName, value: string) => {
    const next = { ...draft, [field]: value } as Draft;
    setDraft(next);
    memory.keepDraft(next);
    if (errors[field] !== undefined) check(field, next);
  };

  const leave = (field: FieldName) => {
    if (draft[field].trim() !== '') check(field, draft);
  };

  const attention = (next: Phase) => {
    setPhase(next);
    setAlerts((count) => count + 1);
  };

  const fail = (failure: Failure) => {
    const refusal = refusalOf(failure, strings, language);
    setErrors(refusal);
    if (hasErrors(refusal)) return attention({ name: 'idle' });
    const wait = failure.retryAfterMs;
    attention({ name: 'failed', failure, until: wait && Date.now() + wait });
  };

  const submit = async () => {
    // State is a render late for the second click of a double click; this is not.
    if (busy.current) return;
    const found = errorsOf(draft, strings);
    setErrors(found);
    if (hasErrors(found)) return attention({ name: 'idle' });
    setPhase({ name: 'sending' });
    busy.current = true;
    try {
      const ticket = await send(draft, api, memory);
      memory.keepDraft({ ...draft, subject: '', category: 'general', message: '' });
      onSent(ticket);
    } catch (error) {
      fail(error instanceof Failure ? error : new Failure('unexpected'));
    } finally {
      busy.current = false;
    }
  };

  return { draft, errors, phase, alerts, change, leave, submit };
}

export function hasErrors(errors: FieldErrors): boolean {
  return FIELDS.some((field) => errors[field] !== undefined);
}
