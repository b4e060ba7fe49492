import { useCan, useKept, usePage, useRoleNames, type User } from '../../api';
import { useTexts } from '../../texts';
import { Field, Pager, ProblemNotice, Select, Table } from '../../ui';
import { Invitation } from './invitation';

const PAGE_SIZE = '50';
const FIRST = { q: '', role: '', disabled: '', cursors: [] as readonly string[] };

export function Users() {
  const { t, time } = useTexts();
  const can = useCan();
  const roles = useRoleNames();
  const [{ cursors, ...conditions }, keep] = useKept('users', FIRST);
  const given = Object.entries({
    ...conditions,
    cursor: cursors.at(-1) ?? '',
    limit: PAGE_SIZE,
  }).filter(([, value]) => value !== '');
  const query = new URLSearchParams(given).toString();
  const { data, error, refetch } = usePage<User>('users', query);
  const change = (changed: Partial<typeof conditions>): void =>
    keep({ ...conditions, ...changed, cursors: [] });
  return (
    <>
      <h1>{t('users')}</h1>
      {can('users:write') && <Invitation />}
      <div class="card">
        <search class="filters">
          <Field
            label={t('search')}
            type="search"
            value={conditions.q}
            onInput={({ currentTarget }) => change({ q: currentTarget.value })}
          />
          {can('roles:read') ? (
            <Select
              label={t('role')}
              value={conditions.role}
              options={[['', t('all')], ...roles.map((name) => [name, name] as const)]}
              change={(role) => change({ role })}
            />
          ) : (
            <Field
              label={t('role')}
              value={conditions.role}
              onChange={({ currentTarget }) => change({ role: currentTarget.value })}
            />
          )}
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
                <span class={user.disabled ? 'bad' : ''}>
                  {t(user.disabled ? 'disabled' : 'enabled')}
                </span>,
                time(user.createdAt),
              ],
            }))}
          />
        )}
        <Pager
          cursors={cursors}
          next={data?.nextCursor}
          change={(chosen) => keep({ ...conditions, cursors: chosen })}
        />
      </div>
    </>
  );
}
