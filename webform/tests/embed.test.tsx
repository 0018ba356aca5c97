import { act, render } from '@testing-library/react';
import { StrictMode } from 'react';
import { beforeEach, describe, expect, it } from 'vitest';
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

  it('puts the form where it stands, or where it says', () => {
    const script = scriptWith({ src });
    expect(placeFor(script)).toBe(script.nextElementSibling);
    const target = document.createElement('main');
    target.id = 'help';
    document.body.append(target);
    expect(placeFor(scriptWith({ src, 'data-target': '#help' }))).toBe(target);
    expect(() => placeFor(scriptWith({ src, 'data-target': '#nowhere' }))).toThrow('#nowhere');
  });

  it('puts the form at the end of the page from inside the head', () => {
    const script = scriptWith({ src });
    document.head.append(script);
    expect(placeFor(script)).toBe(document.body.lastElementChild);
    script.remove();
  });
});
