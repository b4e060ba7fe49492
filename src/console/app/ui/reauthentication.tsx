import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

import { adopt, ApiProblem, call } from '../api';
import { useTexts } from '../texts';
import { Form, PasswordField, useAction } from './form';
import { Dialog, ProblemNotice } from './parts';
import { ProofContext } from './proof';
import { passkeyProof, ProofForm } from './proof-form';

/** Lets every action inside it ask who the user is, when the API requires a recent login. */
export function Reauthentication({ children }: { children: ComponentChildren }) {
  const [pending, setPending] = useState<(isProved: boolean) => void>();
  const ask = async (): Promise<boolean> => {
    try {
      return await new Promise((resolve) => setPending(() => resolve));
    } finally {
      setPending(undefined);
    }
  };
  return (
    <ProofContext.Provider value={ask}>
      {children}
      {pending && <ProofDialog end={pending} />}
    </ProofContext.Provider>
  );
}

function ProofDialog({ end }: { end: (isProved: boolean) => void }) {
  const { t } = useTexts();
  const [second, setSecond] = useState<{ password: string; factors: readonly string[] }>();
  const { isBusy, error, run } = useAction();
  const cancel = (): void => end(false);
  const present = async (proof: object): Promise<void> => {
    await adopt(await call('POST', 'api/user/reauthentication', proof));
    end(true);
  };
  const presentPassword = async (password: string): Promise<void> => {
    try {
      await present({ password });
    } catch (reason) {
      if (!(reason instanceof ApiProblem) || reason.code !== 'second-factor-required') {
        throw reason;
      }
      setSecond({ password, factors: reason.document['factors'] as string[] });
    }
  };
  return (
    <Dialog title={t('proveTitle')} close={cancel}>
      {second ? (
        // With the password, so that the new proof counts as two factors.
        <ProofForm
          factors={second.factors}
          present={(proof) => present({ password: second.password, ...proof })}
        >
          <button type="button" onClick={cancel}>
            {t('cancel')}
          </button>
        </ProofForm>
      ) : (
        <>
          <p>{t('reauthenticate')}</p>
          <Form
            action={t('continue')}
            submit={({ password = '' }) => presentPassword(password)}
            cancel={cancel}
          >
            <PasswordField />
          </Form>
          <ProblemNotice error={error} />
          <p class="actions">
            <button
              type="button"
              disabled={isBusy}
              onClick={() => run(async () => present({ passkey: await passkeyProof() }))}
            >
              {t('usePasskey')}
            </button>
          </p>
        </>
      )}
    </Dialog>
  );
}
