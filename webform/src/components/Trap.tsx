import type { Ref } from 'react';
import { useDesk } from '../desk';

/**
 * A field for robots. People do not meet it: it is out of sight, of the focus order and of the
 * accessibility tree, and it is named and marked so that browsers and password managers fill it with nothing.
 */
export function Trap({ ref }: { ref: Ref<HTMLInputElement> }) {
  const { strings } = useDesk();
  return (
    <div className="unseen" aria-hidden="true">
      <label>
        {strings.trap}
        <input
          ref={ref}
          name="extra_topic"
          type="text"
          tabIndex={-1}
          autoComplete="off"
          data-1p-ignore=""
          data-lpignore="true"
          data-bwignore="true"
          data-form-type="other"
        />
      </label>
    </div>
  );
}
