import { useMemo, useRef } from 'react';
import { type Desk, DeskContext, type DeskSettings, furnish } from '../desk';
import type { SupportFormProps } from '../options';
import { directionOf, languageFor } from '../strings';
import { Launcher } from './Launcher';
import { ShadowFrame } from './ShadowFrame';
import { SupportDesk } from './SupportDesk';

/**
 * The form and, once something was sent, its conversation; styled and scoped by a shadow root.
 * Rendered on a server it is an empty element that the browser fills.
 */
export function SupportForm({
  theme = 'auto',
  position = 'inline',
  nonce,
  ...settings
}: SupportFormProps) {
  return (
    <ShadowFrame theme={theme} position={position} nonce={nonce}>
      <FurnishedDesk {...settings} floating={position !== 'inline'} />
    </ShadowFrame>
  );
}

type FurnishedProps = DeskSettings & { lang?: string | undefined; floating: boolean };

/** Needs a document: only ever rendered inside the shadow root. */
function FurnishedDesk({ lang, floating, ...settings }: FurnishedProps) {
  const language = languageFor(lang, document.documentElement.lang);
  const desk = useFurnished(settings, language);
  const key = `${settings.api} ${settings.remember}`;
  return (
    <DeskContext.Provider value={desk}>
      <div lang={language} dir={directionOf(language)}>
        {floating ? <Launcher key={key} /> : <SupportDesk key={key} />}
      </div>
    </DeskContext.Provider>
  );
}

/** Functions are new at every rendering of the site around; the desk is not, and calls the latest. */
function useFurnished(settings: DeskSettings, language: Desk['language']): Desk {
  const latest = useRef(settings);
  latest.current = settings;
  const { api, remember, category, name, email, subject, headingLevel } = settings;
  const { identity, challenge } = settings;
  const asksIdentity = typeof identity === 'function';
  const token = asksIdentity ? undefined : identity;
  const hooked = challenge !== undefined;
  return useMemo(() => {
    const asked = () => {
      const now = latest.current.identity;
      return typeof now === 'function' ? now() : now;
    };
    const stable: DeskSettings = {
      ...{ api, remember, category, name, email, subject, headingLevel },
      identity: asksIdentity ? asked : token,
      challenge: hooked ? (wanted) => latest.current.challenge?.(wanted) ?? '' : undefined,
    };
    return furnish(stable, language);
  }, [
    api,
    remember,
    category,
    name,
    email,
    subject,
    headingLevel,
    asksIdentity,
    token,
    hooked,
    language,
  ]);
}
