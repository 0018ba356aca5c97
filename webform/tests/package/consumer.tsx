/** A site of somebody else's that uses the package; package.browser.ts compiles it, and nothing runs it. */
import {
  type Challenge,
  type Identity,
  mount,
  SupportForm,
  type SupportFormProps,
} from 'fte-webform';
import { createRoot } from 'react-dom/client';

const identity: Identity = async () => {
  const answer = await fetch('/support-token');
  return answer.ok ? answer.text() : null;
};

const everything: SupportFormProps = {
  api: 'https://support.example.com',
  lang: 'ar',
  theme: 'dark',
  position: 'bottom-left',
  remember: 'device',
  category: 'billing',
  name: 'Ada Example',
  email: 'ada@example.com',
  subject: 'My order',
  identity,
  challenge: async ({ kind, site_key }: Challenge) => `${kind}:${site_key}`,
  headingLevel: 3,
  nonce: 'abc',
};

export const unmount: () => void = mount(document.body, everything);
createRoot(document.body).render(<SupportForm {...everything} identity="a.b.c" />);

// @ts-expect-error the address of the API is not optional
export const missing = <SupportForm />;
// @ts-expect-error there is no such category
export const category = <SupportForm api="/" category="spam" />;
// @ts-expect-error there is no such place
export const position = <SupportForm api="/" position="top" />;
// @ts-expect-error there is no such setting
export const unknown = <SupportForm api="/" colour="red" />;
// @ts-expect-error an identity is a token or what gives one
mount(document.body, { api: '/', identity: 7 });
