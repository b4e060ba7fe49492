import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

import { ApiProblem } from './api';
import { useTexts } from './texts';

type InputProps = JSX.IntrinsicElements['input'] & { readonly label: string };

export function Field({ label, ...input }: InputProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} {...input} />
    </div>
  );
}

export function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="card">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** Says what went wrong, in the words of the API. */
export function ProblemNotice({ error, retry }: { error: unknown; retry?: () => unknown }) {
  const { t } = useTexts();
  if (!error) {
    return null;
  }
  const text =
    error instanceof ApiProblem && error.code !== 'unreachable'
      ? error.message
      : t('problem.unreachable');
  return (
    <p role="alert" class="notice problem">
      {text}
      {retry && (
        <button type="button" class="quiet" onClick={() => void retry()}>
          {t('retry')}
        </button>
      )}
    </p>
  );
}

export function Done({ children }: { children: ComponentChildren }) {
  return (
    <p role="status" class={children ? 'notice done' : ''}>
      {children}
    </p>
  );
}

/** State of one action: whether it runs, and why it failed. */
export function useAction() {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = (work: () => Promise<unknown>): void => {
    setBusy(true);
    setError(undefined);
    work()
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
  readonly children: ComponentChildren;
}

export function Form({ action, submit, children }: FormProps) {
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
      <button disabled={isBusy}>{action}</button>
    </form>
  );
}

interface DialogProps {
  readonly title: string;
  readonly close: () => void;
  readonly children: ComponentChildren;
}

/** A modal dialog of the browser: it keeps the focus, and Escape closes it. */
export function Dialog({ title, close, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => ref.current?.showModal(), []);
  return (
    <dialog ref={ref} aria-labelledby={id} onClose={close}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
