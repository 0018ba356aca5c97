export { SupportForm } from './components/SupportForm';
export type { Challenge } from './config';
export type { Remember } from './memory';
export { mount } from './mount';
export type {
  ChallengeHook,
  HeadingLevel,
  Identity,
  Position,
  SupportFormProps,
  Theme,
} from './options';
export type { Category } from './ticket';
