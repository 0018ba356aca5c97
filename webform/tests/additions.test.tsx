import { fireEvent, screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import {
  ANSWERED,
  chooseFiles,
  chosenFiles,
  composer,
  file,
  messageAccepted,
  messages,
  onAWire,
  openThread,
  pass,
  reload,
  setOnline,
} from './page';
import { json, noNetwork, refused, ticket, type Wire } from './wire';

let wire: Wire;
onAWire((made) => {
  wire = made;
});

const words = () => within(composer()).getByLabelText('Add a message') as HTMLTextAreaElement;
const write = (value: string) => fireEvent.change(words(), { target: { value } });
const sendButton = () => composer().querySelector<HTMLButtonElement>('[type=submit]');

async function reply(text: string) {
  write(text);
  fireEvent.submit(composer());
  await pass();
}

describe('adding a message', () => {
  it('shows it before the server does, once, and then as the server has it', async () => {
    await openThread(wire);
    wire.posts.push(messageAccepted);
    await reply('And on the phone?');
    expect(wire.created[0]?.body).toEqual({ message: 'And on the phone?' });
    expect(messages().at(-1)).toEqual(['customer', 'And on the phone?']);
    expect(words()).toHaveValue('');
    wire.get = () =>
      ticket({
        status: 'open',
        messages: [...ANSWERED.messages, ['customer', 'And on the phone?', { id: 'm-9' }]],
      });
    await pass(2_000);
    expect(messages()).toHaveLength(3);
    expect(screen.getByTestId('status')).toHaveTextContent('We are on it');
  });

  it('asks soon and often for the answer, also where it was already answered', async () => {
    await openThread(wire);
    wire.posts.push(messageAccepted);
    await reply('And on the phone?');
    const before = wire.reads.length;
    await pass(6_000);
    expect(wire.reads.length - before).toBeGreaterThanOrEqual(4);
  });

  it('is one message for a double click, answers lost on the way and tries again', async () => {
    await openThread(wire);
    wire.posts.push(noNetwork, refused(503), messageAccepted);
    write('Hello?');
    fireEvent.submit(composer());
    fireEvent.submit(composer());
    await pass(5_000);
    expect(wire.keys).toHaveLength(3);
    expect(new Set(wire.keys).size).toBe(1);
    expect(messages().filter(([, text]) => text === 'Hello?')).toHaveLength(1);
  });

  it('gives the same words sent twice on purpose two keys', async () => {
    await openThread(wire);
    wire.posts.push(messageAccepted, () => json(202, { message_id: 'm-10' }));
    await reply('Hello?');
    await reply('Hello?');
    expect(new Set(wire.keys).size).toBe(2);
    expect(messages().filter(([, text]) => text === 'Hello?')).toHaveLength(2);
  });

  it('says that it is offline, keeps the words, and sends them when connected', async () => {
    await openThread(wire);
    setOnline(false);
    wire.posts.push(noNetwork, messageAccepted);
    await reply('Still there?');
    expect(screen.getByTestId('failure')).toHaveTextContent('You are offline.');
    expect(words()).toHaveValue('Still there?');
    setOnline(true);
    await pass();
    expect(new Set(wire.keys).size).toBe(1);
    expect(messages().at(-1)).toEqual(['customer', 'Still there?']);
  });

  it('waits as long as a 429 asks for, whoever presses what', async () => {
    await openThread(wire);
    wire.posts.push(refused(429, null, { 'Retry-After': '20' }), messageAccepted);
    await reply('Once more');
    expect(sendButton()).toBeDisabled();
    fireEvent.submit(composer());
    await pass(19_000);
    expect(wire.created).toHaveLength(1);
    await pass(1_000);
    expect(wire.keys).toHaveLength(2);
    expect(new Set(wire.keys).size).toBe(1);
  });

  it('keeps unsent words over a reload, apart for each conversation', async () => {
    await openThread(wire);
    write('Half a thou');
    reload();
    await pass();
    expect(words()).toHaveValue('Half a thou');
  });

  it('asks for something to send, and takes the focus there', async () => {
    await openThread(wire);
    fireEvent.submit(composer());
    expect(words()).toHaveAccessibleDescription(/Write a message or attach a file\./);
    expect(words()).toHaveFocus();
    expect(wire.created).toHaveLength(0);
  });

  it('is sent by Ctrl and Enter, while Enter alone begins a line', async () => {
    await openThread(wire);
    wire.posts.push(messageAccepted);
    write('By keyboard');
    fireEvent.keyDown(words(), { key: 'Enter' });
    await pass();
    expect(wire.created).toHaveLength(0);
    fireEvent.keyDown(words(), { key: 'Enter', ctrlKey: true });
    await pass();
    expect(wire.created).toHaveLength(1);
  });

  it('says when the conversation takes nothing more', async () => {
    await openThread(wire);
    wire.posts.push(refused(409));
    await reply('Too late');
    expect(screen.getByTestId('failure')).toHaveTextContent('This conversation is closed.');
    expect(sendButton()).toBeEnabled();
  });
});

describe('files', () => {
  it('have limits that are told before anything is chosen', async () => {
    wire.config = () => json(200, { max_file_bytes: 2_000_000, max_files: 2 });
    await openThread(wire);
    expect(screen.getByTestId('limits')).toHaveTextContent('Up to 2 files · 2 MB each at most');
    expect(words()).toHaveAccessibleDescription(/Up to 2 files/);
  });

  it('are listed, and can be taken out before sending', async () => {
    await openThread(wire);
    chooseFiles(file('a.txt'), file('b.txt'));
    fireEvent.click(screen.getByRole('button', { name: 'Remove a.txt' }));
    expect(chosenFiles()).toEqual(['b.txt']);
  });

  it('that are too large, empty or too many are left out, each with its reason', async () => {
    wire.config = () => json(200, { max_file_bytes: 1_000_000, max_files: 1 });
    await openThread(wire);
    chooseFiles(file('big.bin', 2_000_000), file('none.txt', 0), file('a.txt'), file('b.txt'));
    expect(chosenFiles()).toEqual(['a.txt']);
    expect(composer()).toHaveTextContent('big.bin is larger than 1 MB and was left out.');
    expect(composer()).toHaveTextContent('none.txt is empty and was left out.');
    expect(composer()).toHaveTextContent('One message can carry one file.');
  });

  it('that the server will not have are said at the field, in its words where they are in English', async () => {
    await openThread(wire);
    wire.posts.push(refused(422));
    await reply('Look');
    expect(words()).toHaveAccessibleDescription(/The server does not like it/);
    expect(words()).toHaveValue('Look');
    expect(screen.queryByTestId('failure')).toBeNull();
  });

  it('whose contents are not kept are shown by name and cannot be fetched', async () => {
    const attachments = [
      { id: null, name: 'gone.pdf', size: 10 },
      { id: 'a', name: 'here.pdf', size: 10 },
    ];
    await openThread(wire, { ...ANSWERED, messages: [['customer', 'Look', { attachments }]] });
    expect(screen.getByText('gone.pdf').closest('button')).toBeNull();
    expect(screen.getByRole('button', { name: /Download:\s+here\.pdf/ })).toBeInTheDocument();
  });

  it('can be pasted, while pasted text stays text', async () => {
    await openThread(wire);
    fireEvent.paste(words(), { clipboardData: { files: [file('image.png')] } });
    expect(chosenFiles()).toEqual(['image.png']);
    const text = fireEvent.paste(words(), { clipboardData: { files: [] } });
    expect(text).toBe(true);
  });
});
