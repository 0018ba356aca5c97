import { describe, expect, it } from 'vitest';
import { EMPTY_DRAFT, type FieldName } from '../src/ticket';
import { problemOf, problemsOf } from '../src/validation';

const check = (field: FieldName, value: string) =>
  problemOf(field, { ...EMPTY_DRAFT, [field]: value });

describe('what the form refuses before the server has to', () => {
  it('asks for everything but the phone', () => {
    expect(problemsOf(EMPTY_DRAFT)).toEqual({
      name: 'missing',
      email: 'missing',
      subject: 'missing',
      message: 'missing',
    });
  });

  it('takes white space for nothing', () => {
    expect(check('message', ' \n\t ')).toBe('missing');
  });

  it.each(['ada@example.com', 'a.b+c@mail.example.org', "o'neil@example.net", 'ü@bücher.example'])(
    'takes the address %s',
    (address) => expect(check('email', address)).toBeUndefined(),
  );

  it.each(['ada', 'ada@', '@example.com', 'a b@example.com', 'ada@example', 'a@b@example.com'])(
    'refuses the address %s',
    (address) => expect(check('email', address)).toBe('malformed'),
  );

  it.each(['a@example..com', 'a@example.com, b@example.com', 'Ada <a@example.com>'])(
    'refuses what is no single plain address: %s',
    (address) => expect(check('email', address)).toBe('malformed'),
  );

  it.each(['+1 201 555 0123', '(201) 555-0123', '201.555.0123', ''])(
    'takes the phone "%s"',
    (phone) => expect(check('phone', phone)).toBeUndefined(),
  );

  it.each(['call me', '12345', '+1 201 555 0123 4567 89'])('refuses the phone "%s"', (phone) =>
    expect(check('phone', phone)).toBe('malformed'),
  );

  it('allows each field exactly its limit', () => {
    expect(check('name', 'x'.repeat(200))).toBeUndefined();
    expect(check('name', 'x'.repeat(201))).toBe('too_long');
    expect(check('subject', 'x'.repeat(201))).toBe('too_long');
    expect(check('message', 'x'.repeat(20_000))).toBeUndefined();
    expect(check('message', 'x'.repeat(20_001))).toBe('too_long');
    expect(check('email', `a@${'x'.repeat(250)}.example`)).toBe('too_long');
  });

  it('counts characters as the API does, so that an emoji is one', () => {
    expect(check('name', '🌊'.repeat(200))).toBeUndefined();
    expect(check('name', '🌊'.repeat(201))).toBe('too_long');
  });
});
