import { fireEvent, screen } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import {
  API,
  field,
  fillInAndSend,
  messages,
  onAWire,
  openPage,
  pass,
  reload,
  setOnline,
  VALID,
} from './page';
import { noNetwork, refused, thread, type Wire } from './wire';

let wire: Wire;
onAWire((made) => {
  wire = made;
});

const ASKED = ['customer', 'I cannot sign in.'] as const;

async function send() {
  openPage();
  await fillInAndSend();
}

describe('the thread', () => {
  it('shows the customer’s own words at once, and takes the focus to the subject', async () => {
    await send();
    expect(messages()).toEqual([['customer', VALID.message]]);
    expect(screen.getByTestId('status')).toHaveTextContent('We have your message');
    expect(screen.getByRole('heading', { name: VALID.subject })).toHaveFocus();
  });

  it('reads with the token, and shows the answer without a reload', async () => {
    await send();
    expect(wire.reads[0]?.url).toBe(`${API}/tickets/t-1`);
    expect(wire.reads[0]?.headers.get('Authorization')).toBe('Bearer secret');
    wire.get = () => thread('answered', [...ASKED], ['agent', 'Reset it.']);
    await pass(1_000);
    expect(messages()).toEqual([
      ['customer', 'I cannot sign in.'],
      ['agent', 'Reset it.'],
    ]);
    expect(screen.getByTestId('status')).toHaveTextContent('Answered');
    expect(screen.getByTestId('status')).toHaveAttribute('data-status', 'answered');
  });

  it('says that a person is on it, and shows what the person writes', async () => {
    wire.get = () => thread('escalated', [...ASKED], ['agent', 'A colleague will answer.']);
    await send();
    expect(screen.getByTestId('status')).toHaveTextContent('A person is on it');
    wire.get = () => thread('escalated', [...ASKED], ['human', 'This is Maya.']);
    await pass(10_000);
    expect(messages().at(-1)).toEqual(['human', 'This is Maya.']);
  });

  it('shows text as text: markup stays markup, lines stay lines', async () => {
    const text = '<img src=x onerror="alert(1)">\n<b>bold</b>';
    wire.get = () => thread('answered', [...ASKED], ['agent', text]);
    await send();
    expect(messages().at(-1)?.[1]).toBe(text);
    expect(screen.getByTestId('thread').querySelector('img, .text b')).toBeNull();
  });

  it('links addresses without handing the new page its opener', async () => {
    wire.get = () => thread('answered', [...ASKED], ['agent', 'See https://help.example.com/a.']);
    await send();
    const link = screen.getByRole('link', { name: 'https://help.example.com/a' });
    expect(link).toHaveAttribute('href', 'https://help.example.com/a');
    expect(link.getAttribute('rel')?.split(' ')).toContain('noopener');
  });

  it('is a log, so that what comes is read out', async () => {
    await send();
    expect(screen.getByRole('log', { name: 'Your conversation' })).toBe(
      screen.getByTestId('thread'),
    );
  });

  it('leaves out a message without a shape it knows', async () => {
    wire.get = () => {
      const odd = { author: 'robot', text: 'beep', at: '' };
      const message = { author: 'agent', text: 'Hello', at: 'no date' };
      return new Response(JSON.stringify({ status: 'open', messages: [null, odd, message] }));
    };
    await send();
    expect(messages()).toEqual([
      ['customer', VALID.message],
      ['agent', 'Hello'],
    ]);
  });
});

describe('while waiting', () => {
  it('says after a minute that it takes longer', async () => {
    await send();
    await pass(59_000);
    expect(screen.getByTestId('aside')).toBeEmptyDOMElement();
    await pass(2_000);
    expect(screen.getByTestId('aside')).toHaveTextContent('takes a little longer');
  });

  it('says nothing of one hiccup, and that the connection is lost when it stays away', async () => {
    await send();
    wire.get = () => new Response('', { status: 404 });
    await pass(1_000);
    expect(screen.getByTestId('aside')).toBeEmptyDOMElement();
    wire.get = noNetwork as () => Promise<Response>;
    await pass(10_000);
    expect(screen.getByTestId('aside')).toHaveTextContent('The connection was lost.');
    wire.get = () => thread('answered', [...ASKED], ['agent', 'Hello']);
    await pass(10_000);
    expect(screen.getByTestId('aside')).toBeEmptyDOMElement();
  });

  it('says that the device is offline', async () => {
    await send();
    setOnline(false);
    wire.get = noNetwork as () => Promise<Response>;
    await pass(10_000);
    expect(screen.getByTestId('aside')).toHaveTextContent('You are offline.');
  });
});

describe('coming back', () => {
  it('keeps the thread over a reload, and leaves the focus where it is', async () => {
    openPage();
    await fillInAndSend();
    reload();
    expect(messages()).toEqual([['customer', VALID.message]]);
    expect(document.body).toHaveFocus();
    await pass();
    expect(wire.created).toHaveLength(1);
  });

  it('opens a ticket from its link and takes the token out of the address', async () => {
    history.replaceState(null, '', '/contact?a=1#ticket=t%2F9&token=a%2Bb&x=1');
    wire.get = () => thread('answered', [...ASKED], ['agent', 'Hello']);
    openPage();
    await pass();
    expect(wire.reads[0]?.url).toBe(`${API}/tickets/t%2F9`);
    expect(wire.reads[0]?.headers.get('Authorization')).toBe('Bearer a+b');
    expect(location.href).toBe('https://shop.example.com/contact?a=1#x=1');
    expect(messages()).toHaveLength(2);
  });

  it('opens a link that is followed while the page is open', async () => {
    openPage();
    location.hash = '#ticket=t-9&token=other';
    await pass(10);
    expect(wire.reads[0]?.url).toBe(`${API}/tickets/t-9`);
    expect(screen.getByRole('heading', { name: 'Your conversation' })).toBeInTheDocument();
  });

  it('says when there is no such conversation, and offers to write anew', async () => {
    history.replaceState(null, '', '#ticket=t-9&token=wrong');
    wire.get = refused(404) as () => Response;
    openPage();
    await pass();
    expect(screen.getByRole('alert')).toHaveTextContent('We cannot find this conversation.');
    fireEvent.click(screen.getByRole('button', { name: 'Ask something else' }));
    expect(field('message')).toBeInTheDocument();
  });

  it('starts anew with the contact filled in, the message empty and the old ticket forgotten', async () => {
    await send();
    fireEvent.click(screen.getByRole('button', { name: 'Ask something else' }));
    expect(screen.getByRole('heading', { name: 'How can we help?' })).toHaveFocus();
    expect(field('email').value).toBe(VALID.email);
    expect(field('message').value).toBe('');
    reload();
    expect(field('message').value).toBe('');
  });

  it('makes the same words a second ticket when they are meant anew', async () => {
    await send();
    fireEvent.click(screen.getByRole('button', { name: 'Ask something else' }));
    await fillInAndSend();
    expect(wire.keys).toHaveLength(2);
    expect(wire.keys[1]).not.toBe(wire.keys[0]);
  });

  it('copies a link that opens this conversation', async () => {
    const writeText = vi.fn(() => Promise.resolve());
    Object.defineProperty(navigator, 'clipboard', { value: { writeText }, configurable: true });
    await send();
    fireEvent.click(screen.getByRole('button', { name: 'Copy link' }));
    await pass();
    expect(writeText).toHaveBeenCalledWith(
      'https://shop.example.com/contact#ticket=t-1&token=secret',
    );
    expect(screen.getByRole('button', { name: 'Link copied' })).toBeInTheDocument();
    Reflect.deleteProperty(navigator, 'clipboard');
  });

  it('shows the link where copying is not allowed', async () => {
    await send();
    fireEvent.click(screen.getByRole('button', { name: 'Copy link' }));
    await pass();
    expect(screen.getByLabelText('The link to this conversation')).toHaveValue(
      'https://shop.example.com/contact#ticket=t-1&token=secret',
    );
  });
});
