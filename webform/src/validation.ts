import { type Draft, FIELDS, type FieldName, LIMITS } from './ticket';

/** What is wrong with a field; the words for it are in the dictionary. */
export type Problem = 'missing' | 'too_long' | 'malformed';
export type Problems = Partial<Record<FieldName, Problem>>;

// Looser than RFC 5322 on purpose: the server decides, this catches slips of the hand.
const EMAIL = /^[^\s@<>()[\]\\,;:"]{1,64}@[^\s@<>()[\]\\,;:"]+\.[^\s@<>()[\]\\,;:".]{2,}$/u;
const PHONE = /^\+?[\d\s().\-/]+$/;

/** Length as the API counts it: code points, not UTF-16 units. */
export function codePoints(text: string): number {
  return [...text].length;
}

function emailProblem(email: string): Problem | undefined {
  return EMAIL.test(email) && !email.includes('..') ? undefined : 'malformed';
}

function phoneProblem(phone: string): Problem | undefined {
  const digits = phone.replace(/\D/g, '').length;
  // E.164 allows 15 digits at most; shorter than 6 is no subscriber anywhere.
  return PHONE.test(phone) && digits >= 6 && digits <= 15 ? undefined : 'malformed';
}

export function problemOf(field: FieldName, draft: Draft): Problem | undefined {
  const value = draft[field].trim();
  if (value === '') return field === 'phone' ? undefined : 'missing';
  if (field !== 'category' && codePoints(value) > LIMITS[field]) return 'too_long';
  if (field === 'email') return emailProblem(value);
  if (field === 'phone') return phoneProblem(value);
  return undefined;
}

export function problemsOf(draft: Draft): Problems {
  const found = FIELDS.map((field) => [field, problemOf(field, draft)] as const);
  return Object.fromEntries(found.filter(([, problem]) => problem !== undefined));
}
