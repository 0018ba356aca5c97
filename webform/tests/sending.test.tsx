import { fireEvent, screen } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import {
  field,
  fillIn,
  fillInAndSend,
  onAWire,
  openPage,
  pass,
  reload,
  setOnline,
  submit,
  submitButton,
  type,
  VALID,
} from './page';
import { accepted, json, noNetwork, refused, type Wire } from './wire';

let wire: Wire;
onAWire((made) => {
  wire = made;
});

describe('sending', () => {
  it('disables the button, says so, and is one ticket for a double click', async () => {
    let arrive = () => {};
    wire.posts.push(
      () =>
        new Promise((resolve) => {
          arrive = () => resolve(json(202, { ticket_id: 't-1', token: 'secret' }));
        }),
    );
    openPage();
    fillIn();
    const form = submitButton().form as HTMLFormElement;
    fireEvent.submit(form);
    fireEvent.submit(form);
    await pass();
    expect(submitButton()).toBeDisabled();
    expect(submitButton()).toHaveTextContent('Sending…');
    expect(screen.getByRole('status')).toHaveTextContent('Sending…');
    fireEvent.submit(form);
    await pass();
    expect(wire.created).toHaveLength(1);
    arrive();
    await pass();
    expect(screen.getByTestId('thread')).toBeInTheDocument();
  });

  it('tries again by itself with the same key when the service hiccups', async () => {
    wire.posts.push(refused(503), noNetwork);
    openPage();
    await fillInAndSend();
    await pass(5_000);
    expect(wire.keys).toHaveLength(3);
    expect(new Set(wire.keys).size).toBe(1);
    expect(screen.getByTestId('thread')).toBeInTheDocument();
  });

  it('tells what to do after three tries, and the next click is still the same ticket', async () => {
    wire.posts.push(refused(503), refused(503), refused(503));
    openPage();
    await fillInAndSend();
    await pass(5_000);
    const notice = screen.getByTestId('failure');
    expect(notice).toHaveTextContent('We cannot take your message right now.');
    expect(notice).toHaveFocus();
    expect(submitButton()).toHaveTextContent('Try again');
    await submit();
    expect(wire.keys).toHaveLength(4);
    expect(new Set(wire.keys).size).toBe(1);
  });

  it('goes on with the same key after a reload in the middle, also when the button is pressed', async () => {
    wire.posts.push(() => new Promise(() => {}));
    openPage();
    await fillInAndSend();
    reload();
    await submit();
    expect(wire.keys).toHaveLength(2);
    expect(wire.keys[1]).toBe(wire.keys[0]);
    expect(screen.getByTestId('thread')).toBeInTheDocument();
  });

  it('sends nothing by itself after a reload when the customer had not, or it is long ago', async () => {
    openPage();
    fillIn();
    reload();
    await pass(5_000);
    expect(wire.created).toHaveLength(0);
    wire.posts.push(() => new Promise(() => {}));
    await submit();
    vi.setSystemTime(Date.now() + 31 * 60_000);
    reload();
    await pass(5_000);
    expect(wire.created).toHaveLength(1);
    expect(field('message').value).toBe(VALID.message);
  });

  it('uses a new key when the words have changed', async () => {
    wire.posts.push(refused(400));
    openPage();
    await fillInAndSend();
    type('message', 'Something else entirely.');
    await submit();
    expect(wire.keys[1]).not.toBe(wire.keys[0]);
  });

  it('says that the device is offline, does not hammer, and sends by itself when it is back', async () => {
    setOnline(false);
    wire.posts.push(noNetwork);
    openPage();
    await fillInAndSend();
    await pass(10_000);
    expect(wire.created).toHaveLength(1);
    const notice = screen.getByTestId('failure');
    expect(notice).toHaveTextContent('You are offline. Your message is kept here.');
    expect(notice).toHaveTextContent('We send it as soon as you are connected again.');
    setOnline(true);
    await pass();
    expect(wire.keys).toHaveLength(2);
    expect(new Set(wire.keys).size).toBe(1);
    expect(screen.getByTestId('thread')).toBeInTheDocument();
  });

  it('says that the device is offline while one still writes', () => {
    openPage();
    setOnline(false);
    expect(screen.getByTestId('offline')).toHaveTextContent('You are offline.');
    setOnline(true);
    expect(screen.getByTestId('offline')).toBeEmptyDOMElement();
  });

  it('looks again now and then, for devices that never say that they are back', async () => {
    setOnline(false);
    wire.posts.push(noNetwork);
    openPage();
    await fillInAndSend();
    await pass(30_000);
    expect(screen.getByTestId('thread')).toBeInTheDocument();
  });

  it('does not send behind the customer’s back what is being changed', async () => {
    setOnline(false);
    wire.posts.push(noNetwork);
    openPage();
    await fillInAndSend();
    type('message', 'Something else.');
    await pass();
    setOnline(true);
    await pass(600_000);
    expect(wire.created).toHaveLength(1);
    expect(screen.getByTestId('failure')).toHaveTextContent('You are connected again.');
    await submit();
    expect(wire.keys[1]).not.toBe(wire.keys[0]);
    expect(wire.created[1]?.body).toMatchObject({ message: 'Something else.' });
  });

  it('gives up on a silent server instead of sending for ever', async () => {
    vi.stubGlobal(
      'fetch',
      (_: string, { signal }: RequestInit) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
        }),
    );
    openPage();
    await fillInAndSend();
    await pass(70_000);
    expect(screen.getByTestId('failure')).toHaveTextContent('We could not be reached.');
  });

  it.each([429, 503])(
    'waits as long as a %i asks for, then sends with the same key',
    async (code) => {
      wire.posts.push(refused(code, null, { 'Retry-After': '30' }));
      openPage();
      await fillInAndSend();
      expect(submitButton()).toBeDisabled();
      expect(screen.getByTestId('failure')).toHaveTextContent('We try again in 30 seconds.');
      setOnline(true);
      await pass(29_000);
      expect(wire.created).toHaveLength(1);
      await pass(1_000);
      expect(wire.keys).toHaveLength(2);
      expect(new Set(wire.keys).size).toBe(1);
      expect(screen.getByTestId('thread')).toBeInTheDocument();
    },
  );

  it('tries ever less often, and in the end leaves it to the customer', async () => {
    wire.posts.push(...Array.from({ length: 60 }, () => noNetwork));
    openPage();
    await fillInAndSend();
    await pass(60_000);
    expect(wire.created.length).toBeLessThan(8);
    expect(screen.getByTestId('failure')).toHaveAttribute('data-retrying', 'true');
    await pass(60 * 60_000);
    expect(wire.created).toHaveLength(24);
    expect(new Set(wire.keys).size).toBe(1);
    expect(screen.getByTestId('failure')).toHaveTextContent('Please try again in a minute.');
  });

  it('takes an answer that is not the API’s for a failure', async () => {
    wire.posts.push(() => json(200, { hello: 'world' }));
    openPage();
    await fillInAndSend();
    expect(screen.getByTestId('failure')).toHaveAttribute('data-kind', 'unexpected');
  });

  it('accepts on the first answer', async () => {
    wire.posts.push(accepted);
    openPage();
    await fillInAndSend();
    await pass(5_000);
    expect(wire.created).toHaveLength(1);
  });
});
