import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../src/config';
import { STRINGS } from '../src/strings';
import { numbersOf } from '../src/strings/numbers';

const EXAMPLE = readFileSync(resolve(import.meta.dirname, '../../.env.example'), 'utf8');
const ofServer = (name: string) => Number(new RegExp(`${name}=(\\d+)`).exec(EXAMPLE)?.[1]);

describe('limits before the server has told its own', () => {
  it('are those that the server has by default', () => {
    expect(DEFAULTS.maxFileBytes).toBe(ofServer('FORM_MAX_FILE_BYTES'));
    expect(DEFAULTS.maxUploadBytes).toBe(ofServer('FORM_MAX_UPLOAD_BYTES'));
    expect(DEFAULTS.maxFiles).toBe(ofServer('FORM_MAX_FILES'));
  });

  it('read as round numbers', () => {
    const said = STRINGS.en.reply.limitOfEach(numbersOf('en').size(DEFAULTS.maxFileBytes));
    expect(said).toBe('10 MB each at most');
  });
});
