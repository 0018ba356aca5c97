import { useEffect, useRef, useState } from 'react';
import { identityOf } from '../chosen-files';
import { useDesk } from '../desk';
import type { Failure } from '../failure';
import type { ThreadMessage, TicketRef } from '../ticket';
import { LIMITS } from '../ticket';
import { codePoints } from '../validation';
import { useChoice } from './useChoice';
import { useLeaving } from './useLeaving';
import { useSending } from './useSending';

const NONE: readonly File[] = [];

/** The words and files that are about to join a thread, and their sending; `given` files are sent at once. */
export function useComposer(
  ticket: TicketRef,
  onSent: (message: ThreadMessage) => void,
  given = NONE,
) {
  const { api, memory, strings, numbers, language } = useDesk();
  const [text, setText] = useState(() => memory.reply(ticket.id));
  const purpose = `reply-attempt:${ticket.id}`;
  const chosen = useChoice(purpose, given);
  const { choice, limits, learn } = chosen;
  const [problem, setProblem] = useState<string>();
  const [progress, setProgress] = useState<number>();
  const { sending, send, hurry, callOff, clear } = useSending();
  const field = useRef<HTMLTextAreaElement>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, for the thread that has just opened
  useEffect(() => {
    void learn();
    if (given.length > 0) void submit(false);
  }, []);
  useLeaving(choice.files.length > 0 && sending.name !== 'idle');

  const write = (words: string) => {
    setText(words);
    memory.keepReply(ticket.id, words);
    setProblem(undefined);
    callOff();
  };
  const attach = (files: readonly File[]) => {
    callOff();
    setProblem(undefined);
    chosen.attach(files);
  };
  const remove = (file: File) => {
    callOff();
    chosen.remove(file);
  };
  const complain = (words: string) => {
    clear();
    setProblem(words);
    field.current?.focus();
  };

  /** What the server finds wrong with this very message: its own words only where they are in English. */
  const reasonOf = ({ kind, serverMessage }: Failure, files: boolean): string | undefined => {
    if (kind === 'too_large' && files)
      return strings.reply.tooMuch(numbers.size(limits.maxUploadBytes));
    if (kind !== 'refused') return undefined;
    return language === 'en' && serverMessage ? serverMessage : strings.refused;
  };

  /** `meant`: the customer pressed the button, and goes on here. */
  const submit = async (meant = true) => {
    if (sending.name === 'sending' || sending.name === 'waiting') return hurry();
    const reply = { text: text.trim(), files: choice.files };
    const over = codePoints(reply.text) - LIMITS.message;
    if (over > 0) return complain(strings.problems.too_long.message);
    if (reply.text === '' && reply.files.length === 0) return complain(strings.reply.nothing);
    const contents = JSON.stringify([reply.text, ...reply.files.map(identityOf)]);
    const key = memory.keyFor(contents, purpose);
    const progressOf = reply.files.length > 0 ? setProgress : () => {};
    try {
      const done = await send(async () => ({
        id: await api.reply(ticket, reply, key, progressOf),
      }));
      if (done === undefined) return;
      memory.forgetKey(purpose);
      write('');
      chosen.clear();
      onSent({ id: done.id, author: 'customer', at: new Date().toISOString(), ...shown(reply) });
      if (meant) field.current?.focus();
    } catch (failure) {
      // Else said by the notice; words and files stay where they are.
      const words = reasonOf(failure as Failure, reply.files.length > 0);
      if (words !== undefined) complain(words);
    } finally {
      setProgress(undefined);
    }
  };

  return { text, choice, limits, problem, progress, sending, field, write, attach, remove, submit };
}

/** Until the server shows them, files are their names. */
function shown({ text, files }: { text: string; files: readonly File[] }) {
  const attachments = files.map(({ name, type, size }) => ({ name, contentType: type, size }));
  return { text, attachments };
}
