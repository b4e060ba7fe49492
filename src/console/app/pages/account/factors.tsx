import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';

import { call, createPasskey, type Factor } from '../../api';
import { useTexts } from '../../texts';
import { Dialog, Field, Form, ProblemNotice, Section, useAction, useConfirmation } from '../../ui';
import { FactorList } from '../user/factor-list';

interface Enrolment {
  readonly id: string;
  readonly secret: string;
  readonly qr: string;
}

export function Factors() {
  const { t } = useTexts();
  const list = useQuery({
    queryKey: ['factors'],
    queryFn: () => call<{ items: Factor[] }>('GET', 'api/user/factors'),
  });
  const { refetch } = list;
  const [enrolment, setEnrolment] = useState<Enrolment>();
  const [codes, setCodes] = useState<readonly string[]>();
  const { isBusy, error: failed, run } = useAction();
  const { ask, confirmation } = useConfirmation();
  const change = (work: () => Promise<unknown>): void =>
    run(async () => work().then(() => refetch()));
  const addPasskey = async (): Promise<void> => {
    const options = await call('POST', 'api/user/factors/passkeys/options');
    await call('POST', 'api/user/factors/passkeys', await createPasskey(options));
  };
  return (
    <Section title={t('factors')}>
      <ProblemNotice error={failed} />
      {confirmation}
      <FactorList
        query={list}
        remove={(id, label) =>
          ask({
            action: t('remove'),
            subject: label,
            consequence: t('ask.removeFactor'),
            run: () => call('DELETE', `api/user/factors/${id}`),
            after: refetch,
          })
        }
      />
      <p class="actions">
        <button
          type="button"
          disabled={isBusy}
          onClick={() => run(async () => setEnrolment(await call('POST', 'api/user/factors/totp')))}
        >
          {t('addTotp')}
        </button>
        <button type="button" disabled={isBusy} onClick={() => change(addPasskey)}>
          {t('addPasskey')}
        </button>
        <button
          type="button"
          disabled={isBusy}
          onClick={() =>
            ask({
              action: t('recoveryCodes'),
              consequence: t('ask.recoveryCodes'),
              run: async () => {
                const { codes: made } = await call<{ codes: string[] }>(
                  'POST',
                  'api/user/factors/recovery-codes',
                );
                setCodes(made);
              },
              result: t('saved'),
              after: refetch,
            })
          }
        >
          {t('recoveryCodes')}
        </button>
      </p>
      {enrolment && (
        <Dialog title={t('addTotp')} close={() => setEnrolment(undefined)}>
          <p>
            {t('scan')} <code>{enrolment.secret}</code>
          </p>
          <img class="qr" alt="" src={`data:image/svg+xml,${encodeURIComponent(enrolment.qr)}`} />
          <Form
            action={t('confirm')}
            submit={async ({ code }) => {
              await call('POST', 'api/user/factors/totp/confirm', { id: enrolment.id, code });
              setEnrolment(undefined);
              await refetch();
            }}
            cancel={() => setEnrolment(undefined)}
          >
            <Field
              label={t('code')}
              name="code"
              autocomplete="one-time-code"
              inputMode="numeric"
              required
            />
          </Form>
        </Dialog>
      )}
      {codes && (
        <Dialog title={t('recoveryCodes')} close={() => setCodes(undefined)}>
          <p>{t('keepCodes')}</p>
          <pre>{codes.join('\n')}</pre>
          <form method="dialog">
            <button>{t('continue')}</button>
          </form>
        </Dialog>
      )}
    </Section>
  );
}
