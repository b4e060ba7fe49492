import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

import { callPublic, presentPasskey } from '../api';
import { useTexts } from '../texts';
import { Field, Form, useAction } from './form';
import { ProblemNotice } from './parts';

/** @param challenge of the second step of a login */
export async function passkeyProof(challenge?: string): Promise<unknown> {
  const body = challenge === undefined ? {} : { challenge };
  return presentPasskey(await callPublic('api/login/passkey/options', body));
}

interface ProofFormProps {
  /** The types of the user's factors. */
  readonly factors: readonly string[];
  /** Of a login. Absent in a session. */
  readonly challenge?: string;
  readonly present: (proof: object) => Promise<unknown>;
  /** Further buttons. */
  readonly children?: ComponentChildren;
}

/** Asks for a second factor. */
export function ProofForm({ factors, challenge, present, children }: ProofFormProps) {
  const { t } = useTexts();
  const [isRecovery, setRecovery] = useState(false);
  const { isBusy, error, run } = useAction();
  return (
    <>
      {(factors.includes('totp') || isRecovery) && (
        <Form
          key={String(isRecovery)}
          action={t('continue')}
          submit={({ proof = '' }) =>
            present(isRecovery ? { recoveryCode: proof } : { code: proof })
          }
        >
          <Field
            label={t(isRecovery ? 'recoveryCode' : 'code')}
            name="proof"
            autocomplete="one-time-code"
            autofocus
            required
          />
        </Form>
      )}
      <ProblemNotice error={error} />
      <p class="actions">
        {factors.includes('passkey') && (
          <button
            type="button"
            disabled={isBusy}
            onClick={() => run(async () => present({ passkey: await passkeyProof(challenge) }))}
          >
            {t('usePasskey')}
          </button>
        )}
        {factors.some((factor) => factor.startsWith('recovery-code')) && (
          <button type="button" onClick={() => setRecovery(!isRecovery)}>
            {t(isRecovery ? 'useCode' : 'useRecovery')}
          </button>
        )}
        {children}
      </p>
    </>
  );
}
