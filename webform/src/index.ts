export type { Theme } from './components/ShadowFrame';
export { SupportForm, type SupportFormProps } from './components/SupportForm';
export type { Remember } from './memory';
export { mount } from './mount';
