import { useQuery, useQueryClient } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';

import {
  call,
  knownUsers,
  useCan,
  useCluster,
  type Factor,
  type Page,
  type Session,
  type TrailEvent,
  type User,
} from '../../api';
import { useTexts } from '../../texts';
import { ProblemNotice, Section, useConfirmation, type Question } from '../../ui';
import { EventTable } from '../audit/event-table';
import { UserHolders } from '../changes/user-holders';
import { FactorList } from './factor-list';
import { UserRoles } from './roles';
import { SessionTable } from './session-table';

/** The short trail leaves them out: each visit of this page adds several. */
const READS: readonly string[] = ['user-read', 'factors-read', 'sessions-read', 'audit-read'];
const READ_EVENTS = '70';
const SHOWN_EVENTS = 20;
/** An event is in the trail a moment after the answer to the call that caused it. */
const TRAIL_DELAY_MS = 1000;

type ActionName = 'disable' | 'enable' | 'endSessions' | 'removeFactors' | 'sendReset' | 'delete';

export function UserPage({ id }: { id: string }) {
  const { t, time } = useTexts();
  const path = `api/users/${encodeURIComponent(id)}`;
  const can = useCan();
  const queries = useQueryClient();
  const { ask, confirmation } = useConfirmation();
  const [isGone, setGone] = useState(false);
  const read = <Answer,>(part: string, route: string, enabled = true) =>
    useQuery({
      queryKey: ['user-page', id, part],
      queryFn: () => call<Answer>('GET', route),
      enabled,
    });
  const user = useQuery({
    queryKey: ['user-page', id, 'profile'],
    queryFn: () => call<User>('GET', path),
    placeholderData: () => knownUsers(queries).get(id),
  });
  const factors = read<{ items: Factor[] }>('factors', `${path}/factors`);
  const sessions = read<{ items: Session[] }>('sessions', `${path}/sessions`, can('sessions:read'));
  const trail = read<Page<TrailEvent>>(
    'trail',
    `api/audit?${new URLSearchParams({ user: id, limit: READ_EVENTS }).toString()}`,
    can('audit:read'),
  );
  const seesHolders = can('sessions:read') && can('cluster:read');
  const live = useCluster(seesHolders);
  const reload = async (): Promise<void> => {
    const again = { queryKey: ['user-page', id, 'trail'] };
    setTimeout(() => void queries.invalidateQueries(again), TRAIL_DELAY_MS);
    await queries.invalidateQueries({ queryKey: ['user-page', id] });
  };
  if (!user.data) {
    return (
      <>
        <BackLink />
        <ProblemNotice error={user.error} retry={user.refetch} />
      </>
    );
  }
  const events = (trail.data?.items ?? [])
    .filter(({ type }) => !READS.includes(type))
    .slice(0, SHOWN_EVENTS);
  const { username, email, emailVerified, displayName, roles, disabled, createdAt } = user.data;

  const actions: Readonly<Record<ActionName, Pick<Question, 'run' | 'result' | 'after'>>> = {
    disable: { run: () => call('PATCH', path, { disabled: true }) },
    enable: { run: () => call('PATCH', path, { disabled: false }) },
    endSessions: { run: () => call('DELETE', `${path}/sessions`) },
    removeFactors: { run: () => call('DELETE', `${path}/factors`) },
    sendReset: { run: () => call('POST', `${path}/password-reset`), result: t('sent') },
    delete: {
      run: () => call('DELETE', path),
      after: async () => {
        setGone(true);
        await queries.invalidateQueries({ queryKey: ['users'] });
      },
    },
  };
  const button = (name: ActionName, permission: string) =>
    can(permission) && (
      <button
        type="button"
        class={name === 'delete' ? 'danger' : ''}
        onClick={() =>
          ask({
            action: t(name),
            subject: username,
            consequence: t(`ask.${name}`),
            isDangerous: name === 'delete' || name === 'removeFactors',
            after: reload,
            ...actions[name],
          })
        }
      >
        {t(name)}
      </button>
    );
  if (isGone) {
    return (
      <>
        <BackLink />
        <h1>{username}</h1>
        {confirmation}
      </>
    );
  }
  return (
    <>
      <BackLink />
      <h1>{username}</h1>
      <ProblemNotice error={user.error} retry={user.refetch} />
      {confirmation}
      <Section title={t('profile')}>
        <dl>
          <dt>{t('status')}</dt>
          <dd class={disabled ? 'bad' : ''}>{t(disabled ? 'disabled' : 'enabled')}</dd>
          <dt>{t('displayName')}</dt>
          <dd>{displayName ?? '–'}</dd>
          <dt>{t('email')}</dt>
          <dd>{email ? `${email} (${t(emailVerified ? 'confirmed' : 'notConfirmed')})` : '–'}</dd>
          <dt>{t('created')}</dt>
          <dd>{time(createdAt)}</dd>
          <dt>{t('id')}</dt>
          <dd>{id}</dd>
        </dl>
        <div class="actions">
          {button(disabled ? 'enable' : 'disable', 'users:write')}
          {button('endSessions', 'sessions:write')}
          {button('sendReset', 'users:write')}
          {button('delete', 'users:write')}
        </div>
      </Section>
      <UserRoles
        key={roles.join()}
        roles={roles}
        save={(chosen) =>
          ask({
            action: t('save'),
            subject: username,
            consequence: t('ask.roles', { roles: chosen.join(', ') || t('none') }),
            run: () => call('PATCH', path, { roles: chosen }),
            after: reload,
          })
        }
      />
      <Section title={t('factors')}>
        <FactorList query={factors} />
        {factors.data && factors.data.items.length > 0 && (
          <div class="actions">{button('removeFactors', 'users:write')}</div>
        )}
      </Section>
      {can('sessions:read') && (
        <Section title={t('sessions')}>
          <ProblemNotice error={sessions.error} retry={sessions.refetch} />
          {sessions.data && <SessionTable sessions={sessions.data.items} />}
        </Section>
      )}
      {seesHolders && (
        <Section title={t('holders')}>
          <UserHolders id={id} live={live} />
        </Section>
      )}
      {can('audit:read') && (
        <Section title={t('trail')}>
          <p class="faint">
            {t('trailText')} <a href={`#/audit/${id}`}>{t('wholeTrail')}</a>
          </p>
          <ProblemNotice error={trail.error} retry={trail.refetch} />
          {trail.data && <EventTable label={t('trail')} events={events} />}
        </Section>
      )}
    </>
  );
}

function BackLink() {
  const { t } = useTexts();
  return (
    <p class="up">
      ‹ <a href="#/users">{t('users')}</a>
    </p>
  );
}
