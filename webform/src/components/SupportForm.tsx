import { useMemo } from 'react';
import { ticketApi } from '../api';
import { type Desk, DeskContext } from '../desk';
import { Memory, type Remember } from '../memory';
import { languageFor, STRINGS } from '../strings';
import { ShadowFrame, type Theme } from './ShadowFrame';
import { SupportDesk } from './SupportDesk';

export interface SupportFormProps {
  /** The address in front of `/tickets`, such as `https://support.example.com`. */
  api: string;
  /** A language tag, or `auto` for the browser's. Default: the page's own. */
  lang?: string | undefined;
  /** Default `auto`: as the visitor's device has it. */
  theme?: Theme | undefined;
  /** How long the open conversation is kept on this device. Default `session`. */
  remember?: Remember | undefined;
}

/**
 * The form and, once something was sent, its conversation; styled and scoped by a shadow root.
 * Rendered on a server it is an empty element that the browser fills.
 */
export function SupportForm({ theme = 'auto', ...desk }: SupportFormProps) {
  return (
    <ShadowFrame theme={theme}>
      <FurnishedDesk {...desk} />
    </ShadowFrame>
  );
}

/** Needs a document: only ever rendered inside the shadow root. */
function FurnishedDesk({ api, lang, remember = 'session' }: Omit<SupportFormProps, 'theme'>) {
  const language = languageFor(lang, document.documentElement.lang);
  const memory = useMemo(() => new Memory(api, remember), [api, remember]);
  const desk = useMemo<Desk>(
    () => ({ api: ticketApi(api), memory, language, strings: STRINGS[language] }),
    [api, memory, language],
  );
  return (
    <DeskContext.Provider value={desk}>
      <div lang={language}>
        <SupportDesk key={`${api} ${remember}`} />
      </div>
    </DeskContext.Provider>
  );
}
