import { describe, expect, it } from 'vitest';
import { choose, filesOf } from '../src/chosen-files';
import { STRINGS } from '../src/strings';
import { numbersOf } from '../src/strings/numbers';

const LIMITS = { maxFileBytes: 4, maxUploadBytes: 7, maxFiles: 2 };
const file = (name: string, text = 'abc', lastModified = 1) =>
  new File([text], name, { lastModified });
const add = (before: File[], ...more: File[]) =>
  choose(before, more, LIMITS, STRINGS.en, numbersOf('en').size);

describe('choosing files', () => {
  it('takes the same file once, and another one of the same name too', () => {
    const first = file('a.txt');
    expect(add([first], file('a.txt')).files).toEqual([first]);
    expect(add([first], file('a.txt', 'abcd')).files).toHaveLength(2);
    expect(add([first], file('a.txt', 'abc', 2)).files).toHaveLength(2);
  });

  it('takes exactly as much as is allowed', () => {
    expect(add([], file('a', 'abcd'))).toMatchObject({ problems: [] });
    expect(add([], file('a', 'abcde'))).toMatchObject({ files: [] });
    expect(add([], file('a'), file('b'))).toMatchObject({ problems: [] });
    expect(add([], file('a'), file('b'), file('c')).files.map(({ name }) => name)).toEqual([
      'a',
      'b',
    ]);
  });

  it('takes together no more than one message can carry, and says so once', () => {
    const { files, problems } = add([], file('a', 'abcd'), file('b', 'abcd'), file('c', 'abcd'));
    expect(files).toHaveLength(1);
    expect(problems).toEqual([
      'Together the files are larger than 1 kB. Please send fewer at a time.',
    ]);
  });

  it('does not count what was left out', () => {
    expect(add([], file('none', ''), file('a'), file('b')).files).toHaveLength(2);
  });

  it('finds no files where none were dropped', () => {
    expect(filesOf(null)).toEqual([]);
  });
});
