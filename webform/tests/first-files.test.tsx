import { fireEvent, screen } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import {
  ANSWERED,
  API,
  chooseFiles,
  chosenFiles,
  composer,
  field,
  file,
  fillIn,
  fillInAndSend,
  messageAccepted,
  messages,
  onAWire,
  openPage,
  pass,
  reload,
  setOnline,
  submit,
  submitButton,
  VALID,
} from './page';
import { accepted, json, noNetwork, refused, ticket, type Wire } from './wire';

let wire: Wire;
onAWire((made) => {
  wire = made;
  wire.get = () => ticket(ANSWERED);
});

const uploads = () => wire.created.filter(({ url }) => url.endsWith('/attachments'));
const leaving = () => {
  const event = new Event('beforeunload', { cancelable: true });
  window.dispatchEvent(event);
  return event.defaultPrevented;
};

describe('files beside the first message', () => {
  it('follow it to its ticket, once, with the token, and the focus stays where it was', async () => {
    wire.posts.push(accepted, messageAccepted);
    openPage();
    chooseFiles(file('a.txt'), file('b.txt'));
    await fillInAndSend();
    await pass();
    expect(wire.created).toHaveLength(2);
    // Announced, so that both are answered together.
    expect(wire.created[0]?.body).toHaveProperty('files', 2);
    expect(uploads()[0]?.url).toBe(`${API}/tickets/t-1/attachments`);
    expect(uploads()[0]?.headers.get('Authorization')).toBe('Bearer secret');
    expect(uploads()[0]?.body).toEqual({ files: ['a.txt', 'b.txt'] });
    expect(screen.getByTestId('thread')).toHaveTextContent('a.txt');
    expect(chosenFiles()).toEqual([]);
    expect(screen.getByRole('heading', { name: VALID.subject })).toHaveFocus();
    await pass(60_000);
    expect(uploads()).toHaveLength(1);
  });

  it('can be taken out, dropped and pasted; what cannot be sent is said', async () => {
    wire.config = () => json(200, { max_file_bytes: 1_000_000, max_files: 2 });
    openPage();
    chooseFiles(file('a.txt'), file('big.bin', 2_000_000), file('none.txt', 0));
    await pass();
    expect(chosenFiles()).toEqual(['a.txt']);
    expect(field('message').form).toHaveTextContent('big.bin is larger than 1 MB');
    fireEvent.paste(field('message'), { clipboardData: { files: [file('shot.png')] } });
    expect(chosenFiles()).toEqual(['a.txt', 'shot.png']);
    expect(screen.getByTestId('limits')).toHaveTextContent('Up to 2 files · 1 MB each at most');
    const dropped = { files: [file('third.txt')], types: ['Files'] };
    fireEvent.drop(field('message'), { dataTransfer: dropped });
    expect(field('message').form).toHaveTextContent('The others were left out.');
    fireEvent.click(screen.getByRole('button', { name: 'Remove a.txt' }));
    expect(chosenFiles()).toEqual(['shot.png']);
  });

  it('wait out a hiccup and a lost connection under one key', async () => {
    wire.posts.push(accepted, noNetwork, refused(503), messageAccepted);
    openPage();
    chooseFiles(file('a.txt'));
    await fillInAndSend();
    setOnline(false);
    await pass();
    setOnline(true);
    await pass(10_000);
    const keys = uploads().map(({ headers }) => headers.get('Idempotency-Key'));
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(messages()).toHaveLength(3);
  });

  it('that the server refuses stay chosen in the thread, with the reason', async () => {
    wire.posts.push(accepted, refused(422, 'file'));
    openPage();
    chooseFiles(file('a.txt'));
    await fillInAndSend();
    await pass();
    expect(chosenFiles()).toEqual(['a.txt']);
    expect(composer()).toHaveTextContent('The server does not like it.');
    wire.posts.push(messageAccepted);
    fireEvent.submit(composer());
    await pass();
    expect(chosenFiles()).toEqual([]);
  });

  it('are asked about before the page is left, and a reload sends nothing without them', async () => {
    wire.posts.push(() => new Promise(() => {}));
    openPage();
    chooseFiles(file('a.txt'));
    fillIn();
    expect(leaving()).toBe(false);
    await submit();
    expect(leaving()).toBe(true);
    reload();
    await pass();
    expect(wire.created).toHaveLength(1);
    expect(leaving()).toBe(false);
    expect(field('message').form).toHaveTextContent('choose again');
    expect(field('message').form).toHaveTextContent('a.txt');
    reload();
    await pass();
    expect(field('message').form).toHaveTextContent('choose again');
    chooseFiles(file('a.txt'));
    expect(field('message').form).not.toHaveTextContent('choose again');
    wire.posts.push(accepted, messageAccepted);
    await submit();
    await pass();
    expect(new Set(wire.keys.slice(0, 2)).size).toBe(1);
    expect(uploads()).toHaveLength(1);
    reload();
    await pass();
    expect(composer()).not.toHaveTextContent('choose again');
  });

  it('that were taken out before a reload are not asked for', async () => {
    openPage();
    chooseFiles(file('a.txt'), file('b.txt'));
    await pass();
    fireEvent.click(screen.getByRole('button', { name: 'Remove a.txt' }));
    reload();
    await pass();
    expect(field('message').form).toHaveTextContent('reloaded: b.txt');
  });

  it('wake no server before they are chosen, and stay out of another conversation', async () => {
    openPage();
    await pass();
    expect(wire.configsAsked).toBe(0);
    wire.posts.push(accepted, messageAccepted);
    chooseFiles(file('a.txt'));
    await pass();
    expect(wire.configsAsked).toBe(1);
    await fillInAndSend();
    await pass();
    fireEvent.click(screen.getByRole('button', { name: 'Ask something else' }));
    expect(chosenFiles()).toEqual([]);
    wire.posts.push(() => json(202, { ticket_id: 't-2', token: 'secret' }));
    await fillInAndSend({ message: 'Another matter' });
    await pass();
    expect(uploads()).toHaveLength(1);
    expect(submitButton()).toBeInTheDocument();
    vi.useRealTimers();
  });
});
