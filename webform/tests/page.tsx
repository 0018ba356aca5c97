import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { vi } from 'vitest';
import { SupportDesk } from '../src/components/SupportDesk';
import { DeskContext, type DeskSettings, furnish } from '../src/desk';
import type { Language } from '../src/strings';

export const API = 'https://support.example.com';

/** Time stands still until `pass` moves it; the wire answers in between. */
export function holdTime(): void {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
    now: new Date('2026-11-02T09:30:00Z'),
  });
}

export async function pass(milliseconds = 0): Promise<void> {
  await act(() => vi.advanceTimersByTimeAsync(milliseconds));
}

/** Opens the page as a (re)load does: only what was stored is known. */
export function openPage(language: Language = 'en', settings: Partial<DeskSettings> = {}) {
  return render(
    <DeskContext.Provider value={furnish({ api: API, ...settings }, language)}>
      <SupportDesk />
    </DeskContext.Provider>,
  );
}

export function reload(): void {
  cleanup();
  openPage();
}

export function field(name: string): HTMLInputElement {
  const found = document.querySelector<HTMLInputElement>(`[name="${name}"]`);
  if (found === null) throw new Error(`no field named ${name}`);
  return found;
}

/** Whether the form has marked a field as wrong; `toBeInvalid` would ask the browser's own rules too. */
export function isMarked(name: string): boolean {
  return field(name).getAttribute('aria-invalid') === 'true';
}

export function type(name: string, value: string): void {
  fireEvent.change(field(name), { target: { value } });
}

export const VALID = {
  name: 'Ada Example',
  email: 'ada@example.com',
  category: 'technical',
  subject: 'Signing in',
  message: 'I cannot sign in.\nWhat now?',
};

export function fillIn(values: Partial<typeof VALID> & { phone?: string } = {}): void {
  for (const [name, value] of Object.entries({ ...VALID, ...values })) type(name, value);
}

export function submitButton(): HTMLButtonElement {
  const found = document.querySelector<HTMLButtonElement>('button[type=submit]');
  if (found === null) throw new Error('no submit button');
  return found;
}

export async function submit(): Promise<void> {
  fireEvent.click(submitButton());
  await pass();
}

export async function fillInAndSend(values: Parameters<typeof fillIn>[0] = {}): Promise<void> {
  fillIn(values);
  await submit();
}

export function messages(): [string | null, string | null][] {
  const found = screen.getByTestId('thread').querySelectorAll('[data-author]');
  return [...found].map((message) => [
    message.getAttribute('data-author'),
    message.querySelector('.text')?.textContent ?? null,
  ]);
}

export function setOnline(online: boolean): void {
  vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(online);
  act(() => void window.dispatchEvent(new Event(online ? 'online' : 'offline')));
}

export function setHidden(hidden: boolean): void {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
  act(() => void document.dispatchEvent(new Event('visibilitychange')));
}
