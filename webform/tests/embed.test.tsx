import { act, render } from '@testing-library/react';
import { StrictMode } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SupportForm } from '../src/components/SupportForm';
import { placeFor, settingsOf } from '../src/embed';
import { mount } from '../src/mount';
import { API } from './page';
import { Wire } from './wire';

beforeEach(() => {
  new Wire();
});

function scriptWith(attributes: Record<string, string>): HTMLScriptElement {
  const script = document.createElement('script');
  script.type = 'text/plain';
  for (const [name, value] of Object.entries(attributes)) script.setAttribute(name, value);
  document.body.append(script);
  return script;
}

const host = () => document.querySelector<HTMLElement>('[data-support-form]');

describe('the component on a page', () => {
  it('lives in an open shadow root with its own styles', () => {
    render(
      <StrictMode>
        <SupportForm api={API} theme="dark" lang="fr-CA" />
      </StrictMode>,
    );
    expect(host()?.dataset.theme).toBe('dark');
    expect(host()?.shadowRoot?.querySelectorAll('form')).toHaveLength(1);
    expect(host()?.shadowRoot?.querySelector('[lang=fr] h2')).toHaveTextContent('Comment');
    expect(document.querySelector('form')).toBeNull();
  });

  it('runs from right to left in languages that do', () => {
    render(<SupportForm api={API} lang="ar" />);
    expect(host()?.shadowRoot?.querySelector('[lang=ar]')).toHaveAttribute('dir', 'rtl');
    const email = host()?.shadowRoot?.querySelector('[name=email]');
    expect(email).toHaveAttribute('dir', 'ltr');
    expect(host()?.shadowRoot?.querySelector('[name=subject]')).not.toHaveAttribute('dir');
  });

  it('gives a browser without constructable sheets a style element with the nonce', () => {
    // jsdom is such a browser.
    render(<SupportForm api={API} nonce="abc" />);
    const style = host()?.shadowRoot?.querySelector('style');
    expect(style?.nonce).toBe('abc');
  });

  it('can be put into an element and taken out again', () => {
    const place = document.createElement('div');
    document.body.append(place);
    let unmount = () => {};
    act(() => {
      unmount = mount(place, { api: API });
    });
    expect(host()?.shadowRoot?.querySelector('form')).not.toBeNull();
    act(() => unmount());
    expect(place).toBeEmptyDOMElement();
  });
});

describe('the script element', () => {
  const src = 'https://support.example.com/static/widget.js?v=1';

  it('gives its own origin as the API', () => {
    expect(settingsOf(scriptWith({ src })).api).toBe('https://support.example.com');
  });

  it('may name another, with a path or relative to the page', () => {
    const named = settingsOf(scriptWith({ src, 'data-api': 'https://api.example.com/support/' }));
    expect(named.api).toBe('https://api.example.com/support');
    const beside = settingsOf(scriptWith({ src, 'data-api': '.' }));
    expect(beside.api).toBe('https://shop.example.com');
  });

  it('cannot name what is no web address', () => {
    expect(() => settingsOf(scriptWith({ src, 'data-api': 'data:,x' }))).toThrow(TypeError);
  });

  it('passes language, theme and memory on, and ignores what is no setting', () => {
    const script = scriptWith({ src, 'data-lang': 'es', 'data-theme': 'dark' });
    script.dataset.remember = 'device';
    expect(settingsOf(script)).toMatchObject({ lang: 'es', theme: 'dark', remember: 'device' });
    expect(settingsOf(scriptWith({ src, 'data-theme': 'pink' })).theme).toBeUndefined();
  });

  it('gives the heading its level: the page’s own where the page is nothing but the form', () => {
    expect(settingsOf(scriptWith({ src })).headingLevel).toBeUndefined();
    expect(settingsOf(scriptWith({ src, 'data-heading-level': '3' })).headingLevel).toBe(3);
    expect(settingsOf(scriptWith({ src, 'data-heading-level': '9' })).headingLevel).toBeUndefined();
    expect(settingsOf(scriptWith({ src, 'data-page': '' })).headingLevel).toBe(1);
  });

  it('passes on place, first values and nonce, and ignores what is none', () => {
    const script = scriptWith({
      src,
      'data-position': 'bottom-left',
      'data-category': 'billing',
      'data-name': 'Ada Example',
      'data-email': 'ada@example.com',
      'data-subject': 'My order',
      nonce: 'abc',
    });
    expect(settingsOf(script)).toMatchObject({
      position: 'bottom-left',
      category: 'billing',
      name: 'Ada Example',
      email: 'ada@example.com',
      subject: 'My order',
      nonce: 'abc',
    });
    const odd = settingsOf(scriptWith({ src, 'data-position': 'top', 'data-category': 'spam' }));
    expect([odd.position, odd.category]).toEqual([undefined, undefined]);
  });

  it('passes a signed identity on, as a token or by a function of the page', async () => {
    expect(settingsOf(scriptWith({ src, 'data-identity': 'a.b' })).identity).toBe('a.b');
    const script = scriptWith({ src, 'data-identity-callback': 'shop.supportToken' });
    const { identity } = settingsOf(script);
    const ask = identity as () => Promise<string> | undefined;
    expect(ask()).toBeUndefined();
    const shop = {
      user: 'ada',
      async supportToken() {
        return `token of ${this.user}`;
      },
    };
    vi.stubGlobal('shop', shop);
    expect(await ask()).toBe('token of ada');
  });

  it('never evaluates what names a function', () => {
    const evil = 'alert(1)//';
    const script = scriptWith({ src, 'data-challenge-callback': evil });
    expect(settingsOf(script).challenge?.({ kind: 'proof', site_key: 'k' })).toBe('');
  });

  it('asks the page’s function for the proof', () => {
    vi.stubGlobal('prove', ({ site_key }: { site_key: string }) => `proof for ${site_key}`);
    const script = scriptWith({ src, 'data-challenge-callback': 'prove' });
    expect(settingsOf(script).challenge?.({ kind: 'proof', site_key: 'k' })).toBe('proof for k');
  });

  it('puts the form where it stands, or where it says', () => {
    const script = scriptWith({ src });
    expect(placeFor(script)).toBe(script.nextElementSibling);
    const target = document.createElement('main');
    target.id = 'help';
    document.body.append(target);
    expect(placeFor(scriptWith({ src, 'data-target': '#help' }))).toBe(target);
  });

  it.each(['#nowhere', '<>', '::'])('says that %s finds nothing, and keeps the form', (target) => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    const script = scriptWith({ src, 'data-target': target });
    expect(placeFor(script)).toBe(script.nextElementSibling);
    expect(said).toHaveBeenCalledOnce();
    expect(said.mock.calls[0]?.[0]).toContain(`data-target="${target}" finds no element`);
    expect(said.mock.calls[0]?.[0]).toContain('Give a CSS selector');
  });

  it('puts the form at the end of the page from inside the head', () => {
    const script = scriptWith({ src });
    document.head.append(script);
    expect(placeFor(script)).toBe(document.body.lastElementChild);
    script.remove();
  });
});
