import { useQuery, useQueryClient } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';

import { call, useCan, type ServiceAccount } from '../../api';
import { useTexts } from '../../texts';
import { ProblemNotice, Section, Table, useConfirmation } from '../../ui';
import { SecretDialog } from './secret-dialog';

export function ServiceAccountPage({ id }: { id: string }) {
  const { t, time } = useTexts();
  const mayChange = useCan()('service-accounts:write');
  const queries = useQueryClient();
  const { ask, confirmation } = useConfirmation();
  const [secret, setSecret] = useState<string>();
  const [isGone, setGone] = useState(false);
  const path = `api/service-accounts/${encodeURIComponent(id)}`;
  const { data, error, refetch } = useQuery({
    queryKey: ['service-accounts', id],
    queryFn: () => call<ServiceAccount>('GET', path),
  });
  if (!data) {
    return <ProblemNotice error={error} retry={refetch} />;
  }
  const { name, clientId, permissions, audiences, disabled, createdAt, secrets } = data;
  const setDisabled = (next: boolean): void =>
    ask({
      action: t(next ? 'disable' : 'enable'),
      subject: name,
      consequence: t(next ? 'ask.disableAccount' : 'ask.enableAccount'),
      run: () => call('PATCH', path, { disabled: next }),
      after: refetch,
    });
  const remove = (): void =>
    ask({
      action: t('delete'),
      subject: name,
      consequence: t('ask.deleteAccount'),
      isDangerous: true,
      run: () => call('DELETE', path),
      after: async () => {
        setGone(true);
        await queries.invalidateQueries({ queryKey: ['service-accounts'], exact: true });
      },
    });
  const addSecret = (): void =>
    ask({
      action: t('newSecret'),
      subject: name,
      consequence: t('ask.addSecret'),
      run: async () => {
        const made = await call<{ clientSecret: string }>('POST', `${path}/secrets`);
        setSecret(made.clientSecret);
      },
      after: refetch,
    });
  const removeSecret = (secretId: string): void =>
    ask({
      action: t('delete'),
      subject: name,
      consequence: t('ask.deleteSecret'),
      isDangerous: true,
      run: () => call('DELETE', `${path}/secrets/${secretId}`),
      after: refetch,
    });
  const head = (
    <>
      <p class="up">
        ‹ <a href="#/service-accounts">{t('serviceAccounts')}</a>
      </p>
      <h1>{name}</h1>
      {confirmation}
    </>
  );
  if (isGone) {
    return head;
  }
  return (
    <>
      {head}
      <Section title={t('profile')}>
        <dl>
          <dt>{t('clientId')}</dt>
          <dd>
            <code>{clientId}</code>
          </dd>
          <dt>{t('status')}</dt>
          <dd>{t(disabled ? 'disabled' : 'enabled')}</dd>
          <dt>{t('permissions')}</dt>
          <dd>{permissions.join(', ') || t('none')}</dd>
          <dt>{t('audience')}</dt>
          <dd>{audiences.join(', ')}</dd>
          <dt>{t('created')}</dt>
          <dd>{time(createdAt)}</dd>
        </dl>
        {mayChange && (
          <p class="actions">
            <button type="button" onClick={() => setDisabled(!disabled)}>
              {t(disabled ? 'enable' : 'disable')}
            </button>
            <button type="button" class="danger" onClick={remove}>
              {t('delete')}
            </button>
          </p>
        )}
      </Section>
      <Section title={t('secrets')}>
        <Table
          label={t('secrets')}
          head={['id', 'created', ...(mayChange ? (['actions'] as const) : [])]}
          rows={secrets.map((each) => ({
            key: each.id,
            cells: [
              <code>{each.id}</code>,
              time(each.createdAt),
              ...(mayChange
                ? [
                    <button type="button" onClick={() => removeSecret(each.id)}>
                      {t('delete')}
                    </button>,
                  ]
                : []),
            ],
          }))}
        />
        {mayChange && (
          <p class="actions">
            <button type="button" onClick={addSecret}>
              {t('newSecret')}
            </button>
          </p>
        )}
      </Section>
      {secret && (
        <SecretDialog
          clientId={clientId}
          clientSecret={secret}
          close={() => setSecret(undefined)}
        />
      )}
    </>
  );
}
