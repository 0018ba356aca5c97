import { fireEvent, screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import {
  ANSWERED,
  composer,
  messageAccepted,
  messages,
  onAWire,
  openPage,
  openThread,
  pass,
} from './page';
import { json, refused, ticket, type Wire } from './wire';

let wire: Wire;
onAWire((made) => {
  wire = made;
});

describe('the rating', () => {
  const closed = { ...ANSWERED, status: 'closed', can_rate: true } as const;
  const done = () => new Response(null, { status: 204 });

  it('is a group of five radio buttons with words, and a comment if one likes', async () => {
    await openThread(wire, closed);
    const group = screen.getByRole('group', { name: 'How was the answer?' });
    const scores = within(group).getAllByRole('radio');
    expect(scores.map((one) => (one as HTMLInputElement).labels?.[0]?.textContent)).toEqual([
      'Very poor',
      'Poor',
      'All right',
      'Good',
      'Very good',
    ]);
    fireEvent.click(screen.getByRole('radio', { name: 'Good' }));
    fireEvent.change(screen.getByLabelText(/What should we know/), {
      target: { value: ' Quick ' },
    });
    wire.posts.push(done);
    fireEvent.click(screen.getByRole('button', { name: 'Send rating' }));
    await pass();
    expect(wire.created[0]?.body).toEqual({ score: 4, comment: 'Quick' });
    expect(screen.getByTestId('rating')).toHaveTextContent('Your rating: Good');
  });

  it('asks about our help once the ticket was closed', async () => {
    await openThread(wire, { ...closed, asked: true });
    expect(screen.getByRole('group', { name: /is closed. How was our help/ })).toBeVisible();
  });

  it('asks about the answer where a closed ticket is open again', async () => {
    await openThread(wire, { ...ANSWERED, can_rate: true, asked: true });
    expect(screen.getByRole('group', { name: 'How was the answer?' })).toBeVisible();
  });

  it('can be changed', async () => {
    await openThread(wire, { ...closed, rating: { score: 2 } });
    fireEvent.click(screen.getByRole('button', { name: 'Change rating' }));
    expect(screen.getByRole('radio', { name: 'Poor' })).toBeChecked();
    fireEvent.click(screen.getByRole('radio', { name: 'Very good' }));
    wire.posts.push(done);
    fireEvent.click(screen.getByRole('button', { name: 'Send rating' }));
    await pass();
    expect(wire.created[0]?.body).toEqual({ score: 5 });
    expect(screen.getByTestId('rating')).toHaveTextContent('Your rating: Very good');
  });

  it('says when it did not arrive, and keeps what was chosen', async () => {
    await openThread(wire, closed);
    fireEvent.click(screen.getByRole('radio', { name: 'Good' }));
    wire.posts.push(refused(422));
    fireEvent.click(screen.getByRole('button', { name: 'Send rating' }));
    await pass();
    expect(screen.getByTestId('rating')).toHaveTextContent('did not reach us');
    expect(screen.getByRole('radio', { name: 'Good' })).toBeChecked();
  });

  it('is tried again by itself when the server is busy', async () => {
    await openThread(wire, closed);
    fireEvent.click(screen.getByRole('radio', { name: 'Good' }));
    wire.posts.push(refused(503, null, { 'Retry-After': '10' }), done);
    fireEvent.click(screen.getByRole('button', { name: 'Send rating' }));
    await pass();
    expect(screen.getByTestId('rating')).toHaveTextContent('We keep trying by ourselves.');
    await pass(10_000);
    expect(screen.getByTestId('rating')).toHaveTextContent('Your rating: Good');
  });

  it('is asked for only where the server takes one', async () => {
    await openThread(wire);
    expect(screen.queryByTestId('rating')).toBeNull();
  });
});

describe('who and what', () => {
  it('a closed conversation offers a new one, and another word opens it again', async () => {
    const closed = { ...ANSWERED, status: 'closed' } as const;
    await openThread(wire, closed);
    expect(screen.getByRole('button', { name: 'Ask something else' })).toBeInTheDocument();
    await pass(600_000);
    expect(wire.reads).toHaveLength(0);
    const field = within(composer()).getByLabelText('Not solved? Write again');
    fireEvent.change(field, { target: { value: 'It is back.' } });
    wire.posts.push(messageAccepted);
    fireEvent.submit(composer());
    await pass(2_000);
    const said = [...ANSWERED.messages, ['customer', 'It is back.']] as const;
    wire.get = () => ticket({ status: 'open', messages: said });
    await pass(10_000);
    expect(screen.getByTestId('status')).toHaveTextContent('We are on it');
    expect(messages()).toHaveLength(3);
  });

  it('an address that was only typed can be confirmed by the mailed link, and is then thanked for', async () => {
    await openThread(wire, { ...ANSWERED, trust: 'claimed' });
    expect(screen.getByTestId('trust')).toHaveTextContent('an e-mail with a link');
    wire.get = () => ticket({ ...ANSWERED, trust: 'verified' });
    await pass(60_000);
    expect(screen.getByTestId('trust')).toHaveTextContent('your e-mail address is confirmed');
  });

  it('the mailed link opens the thread and says that the address is confirmed', async () => {
    history.replaceState(null, '', '/contact#ticket=t-1&token=secret');
    wire.get = () => ticket({ ...ANSWERED, trust: 'verified' });
    openPage();
    await pass();
    expect(location.hash).toBe('');
    expect(screen.getByTestId('trust')).toHaveAttribute('data-trust', 'verified');
    expect(messages()).toHaveLength(2);
  });

  it('speaks of no mail where none is sent', async () => {
    wire.config = () => json(200, { mails_link: false });
    await openThread(wire, { ...ANSWERED, trust: 'claimed' });
    expect(screen.queryByTestId('trust')).toBeNull();
  });

  it('nothing is said of a mail where the site has vouched for the customer', async () => {
    await openThread(wire, { ...ANSWERED, trust: 'verified' });
    expect(screen.queryByTestId('trust')).toBeNull();
  });

  it('a person who is on it is explained', async () => {
    await openThread(wire, { ...ANSWERED, status: 'escalated' });
    expect(screen.getByTestId('person')).toHaveTextContent('A colleague reads your conversation');
  });

  it('each paragraph runs as its own words do, and links promise nothing to their target', async () => {
    const text = 'שלום https://help.example.com/a';
    await openThread(wire, { ...ANSWERED, messages: [ANSWERED.messages[0], ['agent', text]] });
    const shown = screen.getByTestId('thread').querySelector('[data-author=agent] .text');
    expect(shown).toHaveAttribute('dir', 'auto');
    const link = screen.getByRole('link');
    expect(link).toHaveAttribute('rel', 'noopener noreferrer nofollow');
    expect(link).toHaveAttribute('target', '_blank');
  });
});
