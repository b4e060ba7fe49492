import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

import { useTexts } from '../texts';
import { ProblemNotice } from './parts';
import { useProof } from './proof';

type InputProps = JSX.IntrinsicElements['input'] & { readonly label: string };

export function Field({ label, ...input }: InputProps) {
  const id = useId();
  const ref = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // Browsers obey the attribute only while they load a page.
    if (input.autofocus) {
      ref.current?.focus();
    }
  }, []);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input ref={ref} id={id} {...input} />
    </div>
  );
}

/** The current password of the user, as `password`. */
export function PasswordField() {
  const { t } = useTexts();
  return (
    <Field
      label={t('password')}
      name="password"
      type="password"
      autocomplete="current-password"
      required
    />
  );
}

interface SelectProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly change: (value: string) => void;
}

export function Select({ label, value, options, change }: SelectProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={({ currentTarget }) => change(currentTarget.value)}>
        {options.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

interface ChoicesProps {
  readonly legend: string;
  readonly options: readonly string[];
  readonly chosen: readonly string[];
  readonly change: (chosen: readonly string[]) => void;
}

/** Any number of names from a list. */
export function Choices({ legend, options, chosen, change }: ChoicesProps) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {options.map((name) => (
        <label key={name} class="choice">
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={({ currentTarget }) =>
              change(
                currentTarget.checked ? [...chosen, name] : chosen.filter((each) => each !== name),
              )
            }
          />
          {name}
        </label>
      ))}
    </fieldset>
  );
}

/** State of one action: whether it runs, and why it failed. If it needs a recent login, it asks and runs again. */
export function useAction() {
  const withProof = useProof();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = (work: () => Promise<unknown>): void => {
    setBusy(true);
    setError(undefined);
    withProof(work)
      .catch((reason: unknown) => setError(reason))
      .finally(() => setBusy(false));
  };
  return { isBusy, error, run };
}

interface FormProps {
  readonly action: string;
  readonly submit: (
    values: Readonly<Record<string, string>>,
    form: HTMLFormElement,
  ) => Promise<unknown>;
  /** Whether it destroys something. */
  readonly isDangerous?: boolean | undefined;
  /** Shows a second button that calls it. */
  readonly cancel?: () => void;
  readonly children?: ComponentChildren;
}

export function Form({ action, submit, isDangerous = false, cancel, children }: FormProps) {
  const { t } = useTexts();
  const { isBusy, error, run } = useAction();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget;
        const values = Object.fromEntries(new FormData(form)) as Record<string, string>;
        run(async () => submit(values, form));
      }}
    >
      {children}
      <ProblemNotice error={error} />
      <p class="actions">
        <button class={isDangerous ? 'danger' : 'primary'} disabled={isBusy}>
          {action}
        </button>
        {cancel && (
          <button type="button" onClick={cancel}>
            {t('cancel')}
          </button>
        )}
      </p>
    </form>
  );
}
