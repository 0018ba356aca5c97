import { fireEvent, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import {
  API,
  field,
  fillIn,
  fillInAndSend,
  isMarked,
  onAWire,
  openPage,
  reload,
  submit,
  submitButton,
  type,
  VALID,
} from './page';
import { refused, type Wire } from './wire';

let wire: Wire;
onAWire((made) => {
  wire = made;
});

describe('the fields', () => {
  it('have labels, and names that are the API’s', () => {
    openPage();
    expect(screen.getByLabelText('Your name')).toBe(field('name'));
    expect(screen.getByLabelText('E-mail address')).toBe(field('email'));
    expect(screen.getByLabelText('Phone number (optional)')).toBe(field('phone'));
    expect(screen.getByLabelText('Subject')).toBe(field('subject'));
    expect(screen.getByLabelText('What is it about?')).toBe(field('category'));
    expect(screen.getByLabelText('Your message')).toBe(field('message'));
  });

  it('can be filled and sent from the keyboard alone', async () => {
    vi.useRealTimers();
    const user = userEvent.setup();
    openPage();
    for (const words of ['Ada', 'ada@example.com', '', null, 'Hello', 'How are you?']) {
      await user.tab();
      if (words) await user.keyboard(words);
    }
    await user.tab();
    expect(submitButton()).toHaveFocus();
    await user.keyboard('{Enter}');
    await screen.findByTestId('thread');
    expect(wire.created).toHaveLength(1);
  });

  it('send what was typed, trimmed, and a phone only if there is one', async () => {
    openPage();
    await fillInAndSend({ name: '  Ada Example ', phone: '' });
    expect(wire.created[0]?.url).toBe(`${API}/tickets`);
    const page = { trap: '', opened_ms: expect.any(Number) };
    expect(wire.created[0]?.body).toEqual({ ...VALID, page });
  });

  it('send the phone that was given', async () => {
    openPage();
    await fillInAndSend({ phone: '+1 201 555 0123' });
    expect(wire.created[0]?.body).toMatchObject({ phone: '+1 201 555 0123' });
  });

  it('keep the draft over a reload', () => {
    openPage();
    fillIn();
    reload();
    expect(field('message').value).toBe(VALID.message);
    expect(field('category').value).toBe('technical');
  });

  it('count down only near the limit, and then say how much is too much', () => {
    openPage();
    type('message', 'x'.repeat(100));
    expect(field('message')).not.toHaveAccessibleDescription();
    type('message', 'x'.repeat(19_990));
    expect(field('message')).toHaveAccessibleDescription('10 characters left');
    type('message', 'x'.repeat(20_005));
    expect(field('message')).toHaveAccessibleDescription('5 characters too many');
  });
});

describe('validation', () => {
  it('marks what is missing, ties the words to the field and sends nothing', async () => {
    openPage();
    await submit();
    expect(isMarked('name')).toBe(true);
    expect(field('name')).toHaveAccessibleDescription('Enter your name.');
    expect(isMarked('phone')).toBe(false);
    expect(wire.sent).toHaveLength(0);
  });

  it('sums up, takes the focus there, and leads from each line to its field', async () => {
    openPage();
    await submit();
    const summary = screen.getByRole('alert');
    expect(summary).toHaveFocus();
    expect(summary).toHaveAccessibleName('4 things need your attention');
    fireEvent.click(within(summary).getByRole('button', { name: 'Enter a subject.' }));
    expect(field('subject')).toHaveFocus();
  });

  it('takes a mark away as soon as the field is right', async () => {
    openPage();
    await submit();
    type('name', 'Ada');
    expect(isMarked('name')).toBe(false);
    expect(screen.getByRole('alert')).toHaveAccessibleName('3 things need your attention');
  });

  it('speaks up when a field is left for another, but not about what is still empty', () => {
    openPage();
    type('email', 'ada@');
    fireEvent.blur(field('email'), { relatedTarget: field('phone') });
    expect(field('email')).toHaveAccessibleDescription(/Enter an e-mail address like/);
    fireEvent.blur(field('name'), { relatedTarget: field('email') });
    expect(isMarked('name')).toBe(false);
  });

  it('moves nothing under a pointer that is about to press the button', () => {
    openPage();
    type('email', 'ada@');
    fireEvent.blur(field('email'), { relatedTarget: submitButton() });
    expect(isMarked('email')).toBe(false);
  });

  it('shows the refusal of a field by the server at that field', async () => {
    wire.posts.push(refused(422, 'email'));
    openPage();
    await fillInAndSend();
    expect(field('email')).toHaveAccessibleDescription(/The server does not like it/);
    expect(screen.getByRole('alert')).toHaveFocus();
  });

  it('does not show English words of the server in another language', async () => {
    wire.posts.push(refused(422, 'email'));
    openPage('de');
    await fillInAndSend();
    expect(field('email')).toHaveAccessibleDescription(/Das wurde nicht angenommen/);
  });

  it('says at the message that it is too large', async () => {
    wire.posts.push(refused(413));
    openPage();
    await fillInAndSend();
    expect(field('message')).toHaveAccessibleDescription(/too long to send/);
  });
});
