import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SupportDesk } from '../src/components/SupportDesk';
import { DeskContext, furnish } from '../src/desk';
import type { Remember } from '../src/memory';
import type { Identity } from '../src/options';
import { signedBy } from '../src/signed';
import {
  API,
  field,
  fillIn,
  fillInAndSend,
  holdTime,
  openPage,
  pass,
  reload,
  submit,
  type,
  VALID,
} from './page';
import { json, noNetwork, refusedFor, Wire } from './wire';

let wire: Wire;
const trap = () => field('extra_topic');
/** A token as a site's server makes it; what it is signed with is the server's matter. */
function tokenOf(claims: object): string {
  const bytes = new TextEncoder().encode(JSON.stringify(claims));
  const payload = btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_');
  return `header.${payload.replaceAll('=', '')}.signature`;
}
const page = (nth = 0) => wire.created[nth]?.body?.page as Record<string, unknown> | undefined;

beforeEach(() => {
  holdTime();
  wire = new Wire();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the field for robots', () => {
  it('is met by nobody: not seen, not focused, not read out, not filled in', () => {
    openPage();
    expect(trap().closest('[aria-hidden=true]')).toHaveClass('unseen');
    expect(trap()).toHaveAttribute('tabindex', '-1');
    expect(trap()).toHaveAttribute('autocomplete', 'off');
    expect(trap().name).not.toMatch(/name|mail|phone|tel|address|url|web|company|user|pass/i);
    expect(trap()).toHaveAttribute('data-1p-ignore');
    expect(trap()).toHaveAttribute('data-lpignore', 'true');
    expect(trap()).toHaveAttribute('data-bwignore', 'true');
  });

  it('is sent as it stands, also when a script filled it in without an event', async () => {
    openPage();
    trap().value = 'buy now';
    await fillInAndSend();
    expect(page()?.trap).toBe('buy now');
  });

  it('is emptied when it was held against a person, who then goes on with the same key', async () => {
    wire.posts.push(refusedFor(422, 'trap', 'page.trap'));
    openPage();
    trap().value = 'filled in by an extension';
    await fillInAndSend();
    expect(screen.getByTestId('failure')).toHaveTextContent(/We have emptied it/);
    await submit();
    expect(page(1)?.trap).toBe('');
    expect(new Set(wire.keys).size).toBe(1);
    expect(screen.getByTestId('thread')).toBeInTheDocument();
  });
});

describe('the time a form was open', () => {
  it('is told in milliseconds, and counts on over a reload', async () => {
    openPage();
    await pass(4_000);
    reload();
    await pass(3_000);
    await fillInAndSend();
    expect(page()?.opened_ms).toBe(7_000);
  });

  it('is waited for without a word when the server has named it', async () => {
    wire.config = () => json(200, { min_ms: 3_000 });
    openPage();
    fillIn();
    await submit();
    expect(wire.created).toHaveLength(0);
    await pass(3_000);
    expect(page()?.opened_ms).toBe(3_000);
    expect(screen.getByTestId('thread')).toBeInTheDocument();
  });

  it('is explained and waited for when the server finds it too short', async () => {
    wire.posts.push(refusedFor(429, 'too_fast', 'page.opened_ms', { 'Retry-After': '2' }));
    openPage();
    await fillInAndSend();
    expect(screen.getByTestId('failure')).toHaveTextContent('quicker than people write');
    await pass(2_000);
    expect(new Set(wire.keys).size).toBe(1);
    expect(screen.getByTestId('thread')).toBeInTheDocument();
  });
});

describe('the challenge', () => {
  const CHALLENGE = { kind: 'proof', site_key: 'k' };

  it('is obtained by the site’s own hook, anew when it was not accepted', async () => {
    wire.config = () => json(200, { challenge: CHALLENGE });
    wire.posts.push(refusedFor(422, 'challenge', 'page.challenge'));
    const proofs = ['old', 'new'];
    const challenge = vi.fn(() => proofs.shift() ?? '');
    openPage('en', { challenge });
    await fillInAndSend();
    expect(challenge).toHaveBeenCalledWith(CHALLENGE);
    expect([page(0)?.challenge, page(1)?.challenge]).toEqual(['old', 'new']);
    expect(screen.getByTestId('thread')).toBeInTheDocument();
  });

  it('is explained where the site has no hook', async () => {
    wire.config = () => json(200, { challenge: CHALLENGE });
    wire.posts.push(refusedFor(422, 'challenge', 'page.challenge'));
    openPage();
    await fillInAndSend();
    expect(wire.created).toHaveLength(1);
    expect(screen.getByTestId('failure')).toHaveTextContent('make sure that a person is writing');
  });
});

describe('the embedding site’s word for the customer', () => {
  it('goes along, asked for at the time of sending, and is kept nowhere', async () => {
    let token = 'early';
    openPage('en', { identity: async () => token });
    await pass();
    token = 'signed.token';
    await fillInAndSend();
    expect(wire.created[0]?.body?.identity).toBe('signed.token');
    expect(JSON.stringify([{ ...sessionStorage }, { ...localStorage }])).not.toContain('signed');
  });

  it('is asked for once more when it was too old', async () => {
    wire.posts.push(refusedFor(401, 'identity', 'identity'));
    const tokens = ['shown', 'old', 'fresh'];
    openPage('en', { identity: () => tokens.shift() });
    await pass();
    await fillInAndSend();
    expect(wire.created.map(({ body }) => body?.identity)).toEqual(['old', 'fresh']);
    expect(screen.getByTestId('thread')).toBeInTheDocument();
  });

  it('keeps nobody from writing: refused once and the next sending goes without it', async () => {
    wire.posts.push(refusedFor(422, 'identity', 'identity'));
    openPage('en', { identity: 'forged' });
    await fillInAndSend();
    expect(screen.getByTestId('failure')).toHaveTextContent('could not confirm who you are');
    await submit();
    expect(wire.created[1]?.body).not.toHaveProperty('identity');
    expect(screen.getByTestId('thread')).toBeInTheDocument();
  });

  it('spares who is signed in typing name and address', async () => {
    const token = tokenOf({ email: 'ada@example.com', name: 'Ada Ünal' });
    openPage('en', { identity: async () => token });
    await pass();
    expect(screen.getByTestId('signed')).toHaveTextContent(
      'You are writing as Ada Ünal (ada@example.com)',
    );
    expect(document.querySelector('[name=email]')).toBeNull();
    type('subject', 'Hello');
    type('message', 'How are you?');
    await submit();
    expect(wire.created[0]?.body).toMatchObject({
      name: 'Ada Ünal',
      email: 'ada@example.com',
      identity: token,
    });
  });

  it('asks for them after all when it was refused, or is over', async () => {
    wire.posts.push(refusedFor(401, 'identity-invalid', 'identity'));
    openPage('en', { identity: tokenOf({ email: 'ada@example.com', name: 'Ada' }) });
    await pass();
    type('subject', 'Hello');
    type('message', 'How are you?');
    await submit();
    expect(field('email')).toBeInTheDocument();
    const over = tokenOf({ email: 'ada@example.com', exp: Date.now() / 1_000 - 1 });
    expect(signedBy(over, Date.now())).toBeUndefined();
    expect(signedBy('no.token', Date.now())).toBeUndefined();
    expect(signedBy(tokenOf({ email: 7 }), Date.now())).toBeUndefined();
  });

  it('is not waited for for ever', async () => {
    openPage('en', { identity: () => new Promise(() => {}) });
    expect(document.querySelector('[name=email]')).toBeNull();
    await pass(3_000);
    expect(field('email')).toBeInTheDocument();
  });

  it('is left out when nobody is signed in, or the site’s callback throws', async () => {
    const identity = () => {
      throw new Error('session gone');
    };
    openPage('en', { identity });
    await pass();
    await fillInAndSend();
    expect(wire.created[0]?.body).not.toHaveProperty('identity');
  });
});

describe('what the site fills in beforehand', () => {
  const preset = { name: 'Ada', email: 'ada@example.com', category: 'billing' } as const;

  it('stands in the fields, and gives way to what was typed', () => {
    openPage('en', preset);
    expect([field('name').value, field('email').value]).toEqual(['Ada', 'ada@example.com']);
    expect(field('category').value).toBe('billing');
    type('name', 'Grace');
    document.body.replaceChildren();
    openPage('en', preset);
    expect(field('name').value).toBe('Grace');
    expect(field('email').value).toBe('ada@example.com');
  });

  it('wakes no server while nobody writes', async () => {
    openPage();
    await pass(60_000);
    expect(wire.configsAsked).toBe(0);
    fireEvent.focus(field('name'));
    type('name', 'A');
    type('name', 'Ad');
    await pass();
    expect(wire.configsAsked).toBe(1);
  });
});

describe('what one visitor leaves on a device', () => {
  const ada = tokenOf({ email: 'ada@example.com', name: 'Ada' });
  const adaLater = tokenOf({ email: 'Ada@example.com', name: 'Ada', exp: 1 });
  const eve = tokenOf({ email: 'eve@example.com', name: 'Eve' });
  const kept = () => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]);

  async function open(identity: Identity | undefined, remember: Remember = 'device') {
    cleanup();
    openPage('en', { identity, remember });
    await pass();
  }

  async function writeAsAda() {
    await open(ada);
    type('subject', 'My invoice');
    type('message', 'A private matter');
    await submit();
    expect(screen.getByTestId('thread')).toBeInTheDocument();
  }

  it.each([
    ['another', eve],
    ['another, by callback', async () => eve],
    ['nobody', undefined],
    ['nobody, by callback', () => null],
  ])('is not shown to the next: %s', async (_, identity) => {
    await writeAsAda();
    await open(identity);
    expect(screen.queryByTestId('thread')).toBeNull();
    expect(field('message').value).toBe('');
    expect(kept()).not.toMatch(/t-1|secret|invoice|private/);
    await open(ada);
    expect(screen.queryByTestId('thread')).toBeNull();
  });

  it('stays for the same one, whose token was renewed or is over', async () => {
    await writeAsAda();
    await open(async () => adaLater);
    expect(screen.getByTestId('thread')).toBeInTheDocument();
    expect(kept()).not.toMatch(/ada@example/i);
  });

  it('is not shown while the site has not said who is there', async () => {
    await writeAsAda();
    await open(() => new Promise(() => {}));
    expect(screen.queryByTestId('thread')).toBeNull();
    await pass(3_000);
    expect(field('message').value).toBe('');
    expect(kept()).not.toContain('secret');
  });

  it('goes when they sign out on the open page, and a draft with it', async () => {
    const settings = { api: API, remember: 'session' } as const;
    const page = (identity: string | undefined) => (
      <DeskContext.Provider value={furnish({ ...settings, identity }, 'en')}>
        <SupportDesk />
      </DeskContext.Provider>
    );
    const { rerender } = render(page(ada));
    type('message', 'A private matter');
    rerender(page(undefined));
    expect(field('message').value).toBe('');
    expect(kept()).not.toContain('private');
  });

  it('keeps what was typed while the site was still asked', async () => {
    let tell: (token: string) => void = () => {};
    openPage('en', { identity: () => new Promise((resolve) => (tell = resolve)) });
    type('message', 'Half a sentence');
    tell(ada);
    await pass();
    expect(field('message').value).toBe('Half a sentence');
    await open(ada, 'session');
    expect(field('message').value).toBe('Half a sentence');
  });
});

describe('a link to another conversation', () => {
  it('takes the visitor’s own away from nobody: there is a way back, also after a reload', async () => {
    openPage();
    await fillInAndSend();
    location.hash = '#ticket=t-9&token=sent-by-somebody';
    await pass(10);
    expect(wire.reads.at(-1)?.url).toContain('/tickets/t-9');
    reload();
    await pass();
    fireEvent.click(screen.getByRole('button', { name: 'Back to your earlier conversation' }));
    await pass();
    expect(wire.reads.at(-1)?.url).toContain('/tickets/t-1');
    expect(wire.reads.at(-1)?.headers.get('Authorization')).toBe('Bearer secret');
    expect(screen.getByRole('heading', { name: VALID.subject })).toHaveFocus();
  });

  it('offers no way back where there was none, or to the same', async () => {
    history.replaceState(null, '', '#ticket=t-1&token=linked');
    openPage();
    await pass();
    expect(screen.queryByTestId('back')).toBeNull();
    location.hash = '#ticket=t-1&token=verified';
    await pass(10);
    expect(screen.queryByTestId('back')).toBeNull();
  });
});

describe('a try after the site has lost its word', () => {
  it('keeps the trust of the one before, so that it is the same ticket', async () => {
    wire.posts.push(noNetwork);
    const tokens: (string | undefined)[] = ['shown', 'signed.token'];
    openPage('en', { identity: () => tokens.shift() });
    await pass();
    await fillInAndSend();
    await pass(60_000);
    expect(wire.created.map(({ body }) => body?.identity)).toEqual([
      'signed.token',
      'signed.token',
    ]);
    expect(new Set(wire.keys).size).toBe(1);
  });
});
