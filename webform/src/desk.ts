import { createContext, useContext } from 'react';
import type { TicketApi } from './api';
import type { Memory } from './memory';
import type { Language, Strings } from './strings';

/** What every part of one mounted form works with. */
export interface Desk {
  api: TicketApi;
  memory: Memory;
  language: Language;
  strings: Strings;
}

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (desk === null) throw new Error('useDesk needs a DeskContext around it');
  return desk;
}
