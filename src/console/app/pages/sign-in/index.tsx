import { useState } from 'preact/hooks';

import { adopt, ApiProblem, callPublic } from '../../api';
import { useTexts, type TextKey } from '../../texts';
import {
  Done,
  Field,
  Form,
  PasswordField,
  passkeyProof,
  ProblemNotice,
  ProofForm,
  useAction,
} from '../../ui';

interface Challenge {
  readonly challenge: string;
  readonly factors: readonly string[];
}

interface SignInProps {
  /** Why the user has to sign in again. */
  readonly notice?: TextKey;
  readonly done: () => void;
}

export function SignIn({ notice, done }: SignInProps) {
  const { t } = useTexts();
  const [step, setStep] = useState<'password' | 'forgotten' | Challenge>('password');
  const { isBusy, error, run } = useAction();
  const enter = async (tokens: unknown): Promise<void> => {
    await adopt(tokens);
    done();
  };
  if (step === 'forgotten') {
    return <Forgotten back={() => setStep('password')} />;
  }
  if (step !== 'password') {
    return <SecondStep {...step} enter={enter} back={() => setStep('password')} />;
  }
  const login = async ({ username, password }: Readonly<Record<string, string>>): Promise<void> => {
    try {
      await enter(await callPublic('api/login', { username, password }));
    } catch (reason) {
      if (!(reason instanceof ApiProblem) || reason.code !== 'second-factor-required') {
        throw reason;
      }
      setStep(reason.document as unknown as Challenge);
    }
  };
  const loginWithPasskey = async (): Promise<void> =>
    enter(await callPublic('api/login/passkey', await passkeyProof()));
  return (
    <div class="card">
      <h1>{t('signIn')}</h1>
      {notice && <Done>{t(notice)}</Done>}
      <Form action={t('signIn')} submit={login}>
        <Field
          label={t('username')}
          name="username"
          autocomplete="username webauthn"
          autofocus
          required
        />
        <PasswordField />
      </Form>
      <ProblemNotice error={error} />
      <p class="actions">
        <button type="button" disabled={isBusy} onClick={() => run(loginWithPasskey)}>
          {t('withPasskey')}
        </button>
        <button type="button" onClick={() => setStep('forgotten')}>
          {t('forgotten')}
        </button>
      </p>
    </div>
  );
}

interface SecondStepProps extends Challenge {
  readonly enter: (tokens: unknown) => Promise<void>;
  readonly back: () => void;
}

function SecondStep({ challenge, factors, enter, back }: SecondStepProps) {
  const { t } = useTexts();
  return (
    <div class="card">
      <h1>{t('secondStep')}</h1>
      <ProofForm
        factors={factors}
        challenge={challenge}
        present={async (proof) =>
          enter(await callPublic('api/login/second-factor', { challenge, ...proof }))
        }
      >
        <button type="button" onClick={back}>
          {t('back')}
        </button>
      </ProofForm>
    </div>
  );
}

function Forgotten({ back }: { back: () => void }) {
  const { t } = useTexts();
  const [isSent, setSent] = useState(false);
  return (
    <div class="card">
      <h1>{t('forgotten')}</h1>
      {isSent ? (
        <Done>{t('linkSent')}</Done>
      ) : (
        <Form
          action={t('sendLink')}
          submit={({ username, email }) =>
            callPublic('api/password-resets', email ? { email } : { username }).then(() =>
              setSent(true),
            )
          }
        >
          <Field label={t('username')} name="username" autocomplete="username" autofocus />
          <Field label={t('orEmail')} name="email" type="email" autocomplete="email" />
        </Form>
      )}
      <p class="actions">
        <button type="button" onClick={back}>
          {t('back')}
        </button>
      </p>
    </div>
  );
}
