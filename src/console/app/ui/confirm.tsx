import { useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';

import { useTexts } from '../texts';
import { Form } from './form';
import { Dialog, Done } from './parts';

export interface Question {
  /** The name of the action, also on its button. */
  readonly action: string;
  /** Whom or what it concerns. */
  readonly subject?: string;
  readonly consequence: string;
  readonly run: () => Promise<unknown>;
  /** Whether it destroys something. */
  readonly isDangerous?: boolean;
  /** Default: how long it took until every instance had acknowledged it. */
  readonly result?: string;
  /** Called after the result is shown. */
  readonly after?: () => unknown;
}

/** Asks before an action, says what will happen, and then says how it ended. */
export function useConfirmation(): {
  readonly ask: (question: Question) => void;
  readonly confirmation: ComponentChildren;
} {
  const { t } = useTexts();
  const [question, setQuestion] = useState<Question>();
  const [result, setResult] = useState('');
  const act = async ({ run, result: text, after }: Question): Promise<void> => {
    const begun = performance.now();
    await run();
    // The API answers when every instance that holds the subject has acknowledged the change.
    const ms = Math.round(performance.now() - begun);
    setQuestion(undefined);
    setResult(text ?? t('doneIn', { ms }));
    await after?.();
  };
  return {
    ask: (asked) => {
      setResult('');
      setQuestion(asked);
    },
    confirmation: (
      <>
        <Done>{result}</Done>
        {question && (
          <Dialog
            title={[question.action, question.subject].filter(Boolean).join(': ')}
            close={() => setQuestion(undefined)}
          >
            <p>{question.consequence}</p>
            <Form
              action={question.action}
              isDangerous={question.isDangerous}
              submit={() => act(question)}
              cancel={() => setQuestion(undefined)}
            />
          </Dialog>
        )}
      </>
    ),
  };
}
