import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';

import { call, createPasskey, type Factor } from '../../api';
import { useTexts } from '../../texts';
import {
  Dialog,
  Field,
  Form,
  needsProof,
  ProblemNotice,
  Section,
  Table,
  useAction,
  useConfirmation,
} from '../../ui';

interface Enrolment {
  readonly id: string;
  readonly secret: string;
  readonly qr: string;
}

/** The list requires a recent login too. It asks for a new proof only when the user wants to see it. */
export function Factors() {
  const { t, time } = useTexts();
  const { data, error, refetch } = useQuery({
    queryKey: ['factors'],
    queryFn: () => call<{ items: Factor[] }>('GET', 'api/user/factors'),
  });
  const [enrolment, setEnrolment] = useState<Enrolment>();
  const [codes, setCodes] = useState<readonly string[]>();
  const { isBusy, error: failed, run } = useAction();
  const { ask, confirmation } = useConfirmation();
  const change = (work: () => Promise<unknown>): void =>
    run(async () => work().then(() => refetch()));
  const isHidden = needsProof(error);
  const addPasskey = async (): Promise<void> => {
    const options = await call('POST', 'api/user/factors/passkeys/options');
    await call('POST', 'api/user/factors/passkeys', await createPasskey(options));
  };
  return (
    <Section title={t('factors')}>
      <ProblemNotice error={isHidden ? undefined : error} retry={refetch} />
      <ProblemNotice error={failed} />
      {confirmation}
      {isHidden && (
        <p>
          {t('factorsHidden')}{' '}
          <button
            type="button"
            disabled={isBusy}
            onClick={() => run(() => refetch({ throwOnError: true }))}
          >
            {t('showFactors')}
          </button>
        </p>
      )}
      {data && !isHidden && (
        <Table
          label={t('factors')}
          head={['type', 'created', 'remove']}
          empty="noFactors"
          rows={data.items.map(({ id, type, name, createdAt }) => ({
            key: id,
            cells: [
              name ?? type,
              time(createdAt),
              <button
                type="button"
                onClick={() =>
                  ask({
                    action: t('remove'),
                    subject: name ?? type,
                    consequence: t('ask.removeFactor'),
                    run: () => call('DELETE', `api/user/factors/${id}`),
                    after: refetch,
                  })
                }
              >
                {t('remove')}
              </button>,
            ],
          }))}
        />
      )}
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
