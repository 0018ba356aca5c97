import { within } from '@testing-library/dom';
import { act, fireEvent, render } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SupportForm } from '../src/components/SupportForm';
import { API, holdTime, pass } from './page';
import { thread, Wire } from './wire';

let wire: Wire;
beforeEach(() => {
  holdTime();
  wire = new Wire();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What stands in the shadow root of the mounted form. */
const inside = () =>
  within(
    document
      .querySelector('[data-support-form]')
      ?.shadowRoot?.querySelector('.frame') as HTMLElement,
  );
const launcher = () => inside().getByTestId('launcher');
const panel = () => inside().getByRole('dialog', { hidden: true });

function openCorner() {
  render(<SupportForm api={API} lang="en" position="bottom-right" />);
}

async function show() {
  fireEvent.click(launcher());
  await pass();
}

describe('the form in a corner', () => {
  it('is a button that says whether its panel is open, and shows it', async () => {
    openCorner();
    expect(launcher()).toHaveTextContent('Help');
    expect(launcher()).toHaveAttribute('aria-expanded', 'false');
    expect(launcher()).toHaveAttribute('aria-controls', panel().id);
    expect(panel()).toHaveAttribute('hidden');
    await show();
    expect(launcher()).toHaveAttribute('aria-expanded', 'true');
    expect(panel()).not.toHaveAttribute('hidden');
    expect(panel()).toHaveAccessibleName('How can we help?');
    expect(panel().getRootNode()).toHaveProperty('activeElement', panel());
  });

  it('closes by Escape, from anywhere in it, and gives the focus back', async () => {
    openCorner();
    await show();
    fireEvent.keyDown(inside().getByLabelText('Your name'), { key: 'Escape' });
    expect(panel()).toHaveAttribute('hidden');
    expect(panel().getRootNode()).toHaveProperty('activeElement', launcher());
  });

  it('leaves Escape to an input method that is composing', async () => {
    openCorner();
    await show();
    fireEvent.keyDown(inside().getByLabelText('Your name'), { key: 'Escape', isComposing: true });
    expect(panel()).not.toHaveAttribute('hidden');
  });

  it('keeps what was typed while it is closed', async () => {
    openCorner();
    await show();
    fireEvent.change(inside().getByLabelText('Your name'), { target: { value: 'Ada' } });
    fireEvent.click(launcher());
    await show();
    expect(inside().getByLabelText('Your name')).toHaveValue('Ada');
  });

  it('says how many answers came while it was closed, and forgets them once they were seen', async () => {
    const remembered = { id: 't-1', token: 'secret', subject: 'Hello' };
    sessionStorage.setItem(`support-form:${API}:ticket`, JSON.stringify(remembered));
    wire.get = () => thread('open', ['customer', 'Hello?']);
    openCorner();
    await pass();
    expect(launcher()).toHaveTextContent('Help');
    wire.get = () => thread('answered', ['customer', 'Hello?'], ['agent', 'Hi.']);
    await pass(5_000);
    expect(launcher()).toHaveTextContent('1 new answer');
    await show();
    expect(launcher()).not.toHaveTextContent('new answer');
    fireEvent.click(launcher());
    await pass();
    expect(launcher()).not.toHaveTextContent('new answer');
  });

  it('opens by itself for the mailed link', async () => {
    history.replaceState(null, '', '/contact#ticket=t-1&token=secret');
    openCorner();
    await pass();
    expect(panel()).not.toHaveAttribute('hidden');
    expect(location.hash).toBe('');
  });
});

describe('the form around which a site renders', () => {
  it('keeps its words and its reading over new callbacks, and follows new values', async () => {
    const at = (name: string) => (
      <SupportForm api={API} lang="en" name={name} identity={() => name} />
    );
    const { rerender } = render(at('Ada'));
    const message = () => inside().getByLabelText('Your message');
    fireEvent.change(message(), { target: { value: 'Half a thou' } });
    act(() => rerender(at('Ada')));
    expect(message()).toHaveValue('Half a thou');
  });
});
