import { type Ref, useId } from 'react';
import { useDesk } from '../desk';
import { FIELDS, type FieldName } from '../ticket';
import type { FieldErrors } from './useContactForm';

interface Props {
  ref: Ref<HTMLDivElement>;
  errors: FieldErrors;
  onChoose: (field: FieldName) => void;
}

/** What is wrong with the form as a whole; each line leads to its field. */
export function ErrorSummary({ ref, errors, onChoose }: Props) {
  const { strings } = useDesk();
  const id = useId();
  const wrong = FIELDS.filter((field) => errors[field] !== undefined);
  return (
    <div ref={ref} className="notice bad" role="alert" tabIndex={-1} aria-labelledby={id}>
      <p id={id} className="sum">
        {strings.summary(wrong.length)}
      </p>
      <ul>
        {wrong.map((field) => (
          <li key={field}>
            <button type="button" className="link" onClick={() => onChoose(field)}>
              {errors[field]}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
