import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';

import { call, useCan, type ServiceAccount } from '../../api';
import { useTexts } from '../../texts';
import { Field, Form, ProblemNotice, Section, Table } from '../../ui';
import { PermissionChoice, type Chosen } from './permission-choice';
import { SecretDialog, type NewSecret } from './secret-dialog';

export function ServiceAccountsPage() {
  const { t, time } = useTexts();
  const can = useCan();
  const { data, error, refetch } = useQuery({
    queryKey: ['service-accounts'],
    queryFn: () => call<{ items: ServiceAccount[] }>('GET', 'api/service-accounts'),
  });
  return (
    <>
      <h1>{t('serviceAccounts')}</h1>
      <div class="card">
        <ProblemNotice error={error} retry={refetch} />
        {data && (
          <Table
            label={t('serviceAccounts')}
            head={['name', 'permissions', 'status', 'created']}
            empty="noServiceAccounts"
            rows={data.items.map(({ id, name, permissions, disabled, createdAt }) => ({
              key: id,
              cells: [
                <a href={`#/service-accounts/${id}`}>{name}</a>,
                permissions.join(', '),
                t(disabled ? 'disabled' : 'enabled'),
                time(createdAt),
              ],
            }))}
          />
        )}
      </div>
      {can('service-accounts:write') && <Creation created={refetch} />}
    </>
  );
}

function Creation({ created }: { created: () => unknown }) {
  const { t } = useTexts();
  const [chosen, setChosen] = useState<Chosen>({ listed: [], further: '' });
  const [secret, setSecret] = useState<NewSecret>();
  const create = async (
    { name, audiences = '' }: Readonly<Record<string, string>>,
    form: HTMLFormElement,
  ): Promise<void> => {
    const body = {
      name,
      permissions: [...chosen.listed, ...namesIn(chosen.further)],
      ...(audiences.trim() === '' ? {} : { audiences: namesIn(audiences) }),
    };
    setSecret(await call<NewSecret>('POST', 'api/service-accounts', body));
    form.reset();
    setChosen({ listed: [], further: '' });
    await created();
  };
  return (
    <Section title={t('newAccount')}>
      <Form action={t('create')} submit={create}>
        <Field label={t('name')} name="name" required />
        <PermissionChoice chosen={chosen} change={setChosen} />
        <Field label={t('audiences')} name="audiences" />
      </Form>
      {secret && <SecretDialog {...secret} close={() => setSecret(undefined)} />}
    </Section>
  );
}

function namesIn(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}
