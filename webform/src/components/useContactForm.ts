import { useEffect, useRef, useState } from 'react';
import { payloadOf } from '../api';
import { useDesk } from '../desk';
import type { Failure } from '../failure';
import type { OpenTicket } from '../memory';
import { openTicket, type Visit } from '../send';
import { signedDraft } from '../signed';
import type { Strings } from '../strings';
import { type Draft, FIELDS, type FieldName } from '../ticket';
import { problemOf, problemsOf } from '../validation';
import { useChoice } from './useChoice';
import { useLeaving } from './useLeaving';
import { useSending } from './useSending';
import { useSigned } from './useSigned';

export type FieldErrors = Partial<Record<FieldName, string>>;

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

const contentsOf = (draft: Draft) => JSON.stringify(payloadOf(draft));

/** The draft, what is wrong with it, and its sending. */
export function useContactForm(onSent: (ticket: OpenTicket, files: readonly File[]) => void) {
  const desk = useDesk();
  const { memory, strings, language } = desk;
  const [draft, setDraft] = useState(() => memory.draft(desk.preset));
  const [errors, setErrors] = useState<FieldErrors>({});
  const { sending, send, hurry, callOff, clear } = useSending();
  const { signed, known, forget } = useSigned();
  const chosen = useChoice('attempt');
  const files = useRef<readonly File[]>([]);
  files.current = chosen.choice.files;
  useLeaving(files.current.length > 0 && sending.name !== 'idle');
  /** Grows whenever the customer has to look at something. */
  const [alerts, setAlerts] = useState(0);
  const visit = useRef<Visit>({ opened: memory.opened(), trap: '', anonymous: false });

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
    void desk.config();
    // Other words are another message: the one that waits is not sent behind the customer's back.
    callOff();
    if (errors[field] !== undefined) check(field, next);
  };

  const leave = (field: FieldName) => {
    if (draft[field].trim() !== '') check(field, draft);
  };

  const fail = (failure: Failure) => {
    if (failure.kind === 'trapped') visit.current.trap = '';
    if (failure.kind === 'identity') {
      visit.current.anonymous = true;
      forget();
    }
    const refusal = refusalOf(failure, strings, language);
    setErrors(refusal);
    if (hasErrors(refusal)) {
      clear();
      setAlerts((count) => count + 1);
    }
  };

  const submit = async () => {
    if (sending.name === 'sending' || sending.name === 'waiting') return hurry();
    const sent = signedDraft(draft, signed);
    const found = errorsOf(sent, strings);
    setErrors(found);
    if (hasErrors(found)) {
      clear();
      return setAlerts((count) => count + 1);
    }
    const key = memory.keyFor(contentsOf(sent));
    // By itself it would go on without its files, which no store keeps.
    memory.markUnderWay(files.current.length === 0);
    try {
      const ticket = await send(() =>
        openTicket(sent, key, visit.current, desk, files.current.length),
      );
      if (ticket === undefined) return;
      memory.forgetKey();
      memory.keepDraft({ ...draft, subject: '', category: 'general', message: '' });
      const sentAlong = files.current;
      chosen.clear();
      onSent(ticket, sentAlong);
    } catch (failure) {
      if (alive.current) memory.markUnderWay(false);
      fail(failure as Failure);
    }
  };

  // A reload in the middle must not leave the customer wondering: what was sent goes on being sent.
  const alive = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, with the draft of the reload
  useEffect(() => {
    alive.current = true;
    if (known && memory.wasUnderWay(contentsOf(signedDraft(draft, signed)))) void submit();
    return () => {
      alive.current = false;
    };
  }, [known]);

  const failed = sending.failure !== undefined;
  useEffect(() => {
    if (failed) setAlerts((count) => count + 1);
  }, [failed]);

  return {
    draft,
    signed,
    known,
    errors,
    sending,
    alerts,
    visit: visit.current,
    chosen,
    change,
    leave,
    submit,
  };
}

export function hasErrors(errors: FieldErrors): boolean {
  return FIELDS.some((field) => errors[field] !== undefined);
}
