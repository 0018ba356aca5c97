import { createContext, useContext } from 'react';
import { type TicketApi, ticketApi } from './api';
import { type Config, DEFAULTS } from './config';
import { Memory } from './memory';
import type { ChallengeHook, HeadingLevel, Identity, SupportFormProps } from './options';
import { identityOf } from './send';
import { type Language, STRINGS, type Strings } from './strings';
import { numbersOf } from './strings/numbers';
import type { Draft } from './ticket';

/** What every part of one mounted form works with. */
export interface Desk {
  api: TicketApi;
  memory: Memory;
  language: Language;
  strings: Strings;
  numbers: ReturnType<typeof numbersOf>;
  /** Asked for once, and only when somebody begins to write: a form nobody uses wakes no server. */
  config: () => Promise<Config>;
  preset: Partial<Draft>;
  headingLevel: HeadingLevel;
  identity: Identity | undefined;
  /** Asks the site who is signed in; those who ask at the same time share one question. */
  whoIsThere: () => Promise<string | undefined>;
  challenge: ChallengeHook | undefined;
  /** Hears how many answers the open conversation holds. */
  onAnswers?: (count: number) => void;
}

export type DeskSettings = Omit<SupportFormProps, 'lang' | 'theme' | 'position' | 'nonce'>;

export function furnish(settings: DeskSettings, language: Language): Desk {
  const { api: address, remember = 'session', identity, challenge } = settings;
  const api = ticketApi(address);
  let config: Promise<Config> | undefined;
  let asking: Promise<string | undefined> | undefined;
  return {
    api,
    memory: new Memory(address, remember),
    language,
    strings: STRINGS[language],
    numbers: numbersOf(language),
    config: () => (config ??= api.config().catch(() => DEFAULTS)),
    preset: presetOf(settings),
    headingLevel: settings.headingLevel ?? 2,
    identity,
    whoIsThere: () => {
      asking ??= identityOf({ identity }).finally(() => {
        asking = undefined;
      });
      return asking;
    },
    challenge,
  };
}

function presetOf({ category, name, email, subject }: DeskSettings): Partial<Draft> {
  const given = Object.entries({ category, name, email, subject });
  return Object.fromEntries(given.filter(([, value]) => value));
}

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (desk === null) throw new Error('useDesk needs a DeskContext around it');
  return desk;
}
