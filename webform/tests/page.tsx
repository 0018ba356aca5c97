import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, vi } from 'vitest';
import { SupportDesk } from '../src/components/SupportDesk';
import { DeskContext, type DeskSettings, furnish } from '../src/desk';
import type { Language } from '../src/strings';
import { json, ticket, Wire } from './wire';

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

/** Gives each test a wire of its own, and time that stands still. */
export function onAWire(use: (wire: Wire) => void): void {
  beforeEach(() => {
    holdTime();
    use(new Wire());
  });
  afterEach(() => {
    vi.useRealTimers();
  });
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

export const ANSWERED = {
  status: 'answered',
  messages: [
    ['customer', VALID.message],
    ['agent', 'Reset it.'],
  ],
} as const;

/** A ticket that was sent and reads so on its page; what was sent for it is forgotten. */
export async function openThread(
  wire: Wire,
  answer: Parameters<typeof ticket>[0] = ANSWERED,
): Promise<void> {
  wire.get = () => ticket(answer);
  openPage();
  await fillInAndSend();
  await pass();
  wire.sent.length = 0;
}

export function composer(): HTMLFormElement {
  return screen.getByTestId('composer') as HTMLFormElement;
}

export const messageAccepted = () => json(202, { message_id: 'm-9' });

export function file(name: string, size = 3): File {
  const made = new File(['x'], name, { type: 'text/plain', lastModified: 1 });
  Object.defineProperty(made, 'size', { value: size });
  return made;
}

export function chooseFiles(...files: File[]): void {
  fireEvent.change(field('file'), { target: { files, value: '' } });
}

export function chosenFiles(): (string | null)[] {
  const names = document.querySelectorAll('[data-testid=chosen] .file-name');
  return [...names].map((name) => name.textContent);
}
