import { type FocusEvent, useId } from 'react';
import { useDesk } from '../desk';
import type { FieldName } from '../ticket';
import { AlertIcon, ChevronIcon } from './icons';

export interface FieldState {
  name: FieldName;
  label: string;
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
  onLeave: () => void;
}

interface Props extends FieldState {
  type?: 'text' | 'email' | 'tel';
  autoComplete?: string;
  hint?: string | undefined;
  optional?: boolean;
  wide?: boolean;
  /** Makes it a text area of so many lines. */
  rows?: number;
  /** Makes it a choice: values and their words. */
  options?: readonly (readonly [string, string])[];
}

/** Addresses and numbers run left to right everywhere; words run as what is typed does. */
function directionFor(type: Props['type'], value: string): 'ltr' | 'auto' | undefined {
  if (type === 'email' || type === 'tel') return 'ltr';
  // An empty field with `auto` would turn left to right on a page that does not.
  return value === '' ? undefined : 'auto';
}

/** Only from field to field: an error that appears under the pointer moves the button it was about to press. */
function isField(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches('input, select, textarea');
}

/** One labelled control with its hint and its error, tied together for assistive technology. */
export function Field({ label, error, hint, optional = false, wide = false, ...control }: Props) {
  const { strings } = useDesk();
  const id = useId();
  const described = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(' ');
  return (
    <div className={wide ? 'field wide' : 'field'}>
      <label htmlFor={id}>
        {label}
        {optional && <span className="optional"> ({strings.optional})</span>}
      </label>
      <Control
        {...control}
        attributes={{
          id,
          name: control.name,
          value: control.value,
          dir: control.options ? undefined : directionFor(control.type, control.value),
          required: !optional,
          'aria-invalid': error !== undefined,
          'aria-describedby': described || undefined,
          onBlur: (event: FocusEvent) => isField(event.relatedTarget) && control.onLeave(),
        }}
      />
      {error && (
        <p className="error" id={`${id}-error`}>
          <AlertIcon />
          {error}
        </p>
      )}
      {hint && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

type ControlProps = Omit<Props, 'label' | 'error' | 'hint' | 'optional' | 'wide'> & {
  attributes: object;
};

function Control({
  attributes,
  type = 'text',
  autoComplete,
  rows,
  options,
  onChange,
}: ControlProps) {
  const heard = (event: { target: { value: string } }) => onChange(event.target.value);
  if (options !== undefined) {
    return (
      <div className="select">
        <select {...attributes} onChange={heard}>
          {options.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
        <ChevronIcon />
      </div>
    );
  }
  if (rows !== undefined) return <textarea {...attributes} rows={rows} onChange={heard} />;
  return <input {...attributes} type={type} autoComplete={autoComplete} onChange={heard} />;
}
