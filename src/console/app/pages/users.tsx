import { keepPreviousData, useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';

import { call, type Page, type User } from '../api';
import { useTexts } from '../texts';
import { Field, ProblemNotice } from '../ui';

const PAGE_SIZE = '50';

export function Users() {
  const { t, time } = useTexts();
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
          <div class="field">
            <label for="status">{t('status')}</label>
            <select
              id="status"
              value={conditions.disabled}
              onChange={({ currentTarget }) => change({ disabled: currentTarget.value })}
            >
              <option value="">{t('all')}</option>
              <option value="false">{t('enabled')}</option>
              <option value="true">{t('disabled')}</option>
            </select>
          </div>
        </search>
        <ProblemNotice error={error} retry={refetch} />
        {data?.items.length === 0 && <p class="faint">{t('noUsers')}</p>}
        {data && data.items.length > 0 && (
          <div class="scroll" tabIndex={0} role="region" aria-label={t('users')}>
            <table>
              <thead>
                <tr>
                  <th>{t('username')}</th>
                  <th>{t('email')}</th>
                  <th>{t('roles')}</th>
                  <th>{t('status')}</th>
                  <th>{t('created')}</th>
                </tr>
              </thead>
              <tbody>
                {data.items.map((user) => (
                  <tr key={user.id}>
                    <td class="name">
                      <a href={`#/users/${user.id}`}>{user.username}</a>
                    </td>
                    <td>{user.email}</td>
                    <td>{user.roles.join(', ')}</td>
                    <td>{t(user.disabled ? 'disabled' : 'enabled')}</td>
                    <td>{time(user.createdAt)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
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
    </>
  );
}
