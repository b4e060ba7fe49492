import { keepPreviousData, useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';

import { call, useCan, type Page, type User } from '../../api';
import { useTexts } from '../../texts';
import { Field, ProblemNotice, Select, Table } from '../../ui';
import { Invitation } from './invitation';

const PAGE_SIZE = '50';

export function Users() {
  const { t, time } = useTexts();
  const can = useCan();
  const [conditions, setConditions] = useState({ q: '', role: '', disabled: '' });
  const [cursor, setCursor] = useState('');
  const given = Object.entries({ ...conditions, cursor, limit: PAGE_SIZE }).filter(
    ([, value]) => value !== '',
  );
  const query = new URLSearchParams(given).toString();
  const { data, error, refetch } = useQuery({
    queryKey: ['users', query],
    queryFn: () => call<Page<User>>('GET', `api/users?${query}`),
    placeholderData: keepPreviousData,
  });
  const change = (changed: Partial<typeof conditions>): void => {
    setCursor('');
    setConditions({ ...conditions, ...changed });
  };
  return (
    <>
      <h1>{t('users')}</h1>
      <div class="card">
        <search class="filters">
          <Field
            label={t('search')}
            type="search"
            value={conditions.q}
            onInput={({ currentTarget }) => change({ q: currentTarget.value })}
          />
          <Field
            label={t('roles')}
            value={conditions.role}
            onInput={({ currentTarget }) => change({ role: currentTarget.value })}
          />
          <Select
            label={t('status')}
            value={conditions.disabled}
            options={[
              ['', t('all')],
              ['false', t('enabled')],
              ['true', t('disabled')],
            ]}
            change={(disabled) => change({ disabled })}
          />
        </search>
        <ProblemNotice error={error} retry={refetch} />
        {data && (
          <Table
            label={t('users')}
            head={['username', 'email', 'roles', 'status', 'created']}
            empty="noUsers"
            rows={data.items.map((user) => ({
              key: user.id,
              cells: [
                <a href={`#/users/${user.id}`}>{user.username}</a>,
                user.email,
                user.roles.join(', '),
                t(user.disabled ? 'disabled' : 'enabled'),
                time(user.createdAt),
              ],
            }))}
          />
        )}
        <p class="actions">
          {cursor !== '' && (
            <button type="button" onClick={() => setCursor('')}>
              {t('first')}
            </button>
          )}
          {data?.nextCursor && (
            <button type="button" onClick={() => setCursor(data.nextCursor!)}>
              {t('more')}
            </button>
          )}
        </p>
      </div>
      {can('users:write') && <Invitation />}
    </>
  );
}
