import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

import { ApiProblem } from '../api/client';
import { useTexts } from '../texts';

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
  const isGone = error instanceof ApiProblem && error.status === 404;
  const text =
    error instanceof ApiProblem && error.code !== 'unreachable'
      ? isGone
        ? t('problem.gone')
        : error.message
      : t('problem.unreachable');
  return (
    <p role="alert" class="notice problem">
      {text}
      {retry && !isGone && (
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

interface DialogProps {
  readonly title: string;
  readonly close: () => void;
  readonly children: ComponentChildren;
}

/** A modal dialog of the browser: it keeps the focus, Escape closes it, and the focus returns to where it was. */
export function Dialog({ title, close, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    // A dialog that is only removed does not give the focus back.
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={ref} aria-labelledby={id} onClose={close}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
