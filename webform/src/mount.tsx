import { createRoot } from 'react-dom/client';
import { SupportForm } from './components/SupportForm';
import type { SupportFormProps } from './options';

/** Shows the form inside an element. Returns the function that takes it away again. */
export function mount(target: Element, props: SupportFormProps): () => void {
  const root = createRoot(target);
  root.render(<SupportForm {...props} />);
  return () => root.unmount();
}
