import { useQuery, useQueryClient } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';

import { call, type AuditEvent, type Page, type Session, type User } from '../api';
import { useTexts } from '../texts';
import { Dialog, Done, Field, Form, ProblemNotice, Section } from '../ui';
import { SessionTable } from './session-table';

type ActionName = 'disable' | 'enable' | 'endSessions' | 'removeFactors' | 'sendReset' | 'delete';

export function UserPage({ id }: { id: string }) {
  const { t, time } = useTexts();
  const path = `api/users/${encodeURIComponent(id)}`;
  const queries = useQueryClient();
  const [asked, setAsked] = useState<ActionName>();
  const [result, setResult] = useState('');
  const read = <Answer,>(part: string, route: string) =>
    useQuery({ queryKey: ['user-page', id, part], queryFn: () => call<Answer>('GET', route) });
  const user = read<User>('profile', path);
  const sessions = read<{ items: Session[] }>('sessions', `${path}/sessions`);
  const trail = read<Page<AuditEvent>>('trail', `api/audit?user=${encodeURIComponent(id)}`);
  const reload = async (): Promise<void> =>
    queries.invalidateQueries({ queryKey: ['user-page', id] });

  const send: Readonly<Record<ActionName, () => Promise<unknown>>> = {
    disable: () => call('PATCH', path, { disabled: true }),
    enable: () => call('PATCH', path, { disabled: false }),
    endSessions: () => call('DELETE', `${path}/sessions`),
    removeFactors: () => call('DELETE', `${path}/factors`),
    sendReset: () => call('POST', `${path}/password-reset`),
    delete: () => call('DELETE', path),
  };
  /** The API answers when every instance that holds the user has acknowledged the change. */
  const timed = async (work: () => Promise<unknown>): Promise<void> => {
    const begun = performance.now();
    await work();
    setResult(t('doneIn').replace('{ms}', String(Math.round(performance.now() - begun))));
  };
  const act = async (name: ActionName): Promise<void> => {
    await timed(send[name]);
    setAsked(undefined);
    if (name === 'sendReset') {
      setResult(t('sent'));
    }
    if (name === 'delete') {
      await queries.invalidateQueries({ queryKey: ['users'] });
      location.hash = '/users';
      return;
    }
    await reload();
  };
  const button = (name: ActionName) => (
    <button type="button" class={name === 'delete' ? 'danger' : ''} onClick={() => setAsked(name)}>
      {t(name)}
    </button>
  );
  if (!user.data) {
    return <ProblemNotice error={user.error} retry={user.refetch} />;
  }
  const { username, email, displayName, roles, disabled, createdAt } = user.data;
  return (
    <>
      <h1>{username}</h1>
      <Done>{result}</Done>
      <Section title={t('profile')}>
        <dl>
          <dt>{t('status')}</dt>
          <dd>{t(disabled ? 'disabled' : 'enabled')}</dd>
          <dt>{t('displayName')}</dt>
          <dd>{displayName ?? '–'}</dd>
          <dt>{t('email')}</dt>
          <dd>{email ?? '–'}</dd>
          <dt>{t('created')}</dt>
          <dd>{time(createdAt)}</dd>
        </dl>
        <div class="actions">
          {button(disabled ? 'enable' : 'disable')}
          {button('endSessions')}
          {button('removeFactors')}
          {button('sendReset')}
          {button('delete')}
        </div>
      </Section>
      <Section title={t('roles')}>
        <Form
          action={t('save')}
          submit={async ({ roles: text = '' }) => {
            const names = text
              .split(',')
              .map((name) => name.trim())
              .filter(Boolean);
            await timed(async () => call('PATCH', path, { roles: names }));
            await reload();
          }}
        >
          <Field label={t('roles')} name="roles" defaultValue={roles.join(', ')} />
        </Form>
      </Section>
      <Section title={t('sessions')}>
        <ProblemNotice error={sessions.error} />
        {sessions.data && <SessionTable sessions={sessions.data.items} />}
      </Section>
      <Section title={t('trail')}>
        <ProblemNotice error={trail.error} />
        <div class="scroll" tabIndex={0} role="region" aria-label={t('trail')}>
          <table>
            <thead>
              <tr>
                <th>{t('time')}</th>
                <th>{t('event')}</th>
                <th>{t('result')}</th>
                <th>{t('address')}</th>
              </tr>
            </thead>
            <tbody>
              {trail.data?.items.map((event) => (
                <tr key={event.id}>
                  <td>{time(event.at)}</td>
                  <td>{event.type}</td>
                  <td>{event.result}</td>
                  <td>{event.ip}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Section>
      {asked && (
        <Dialog title={`${t(asked)}: ${username}`} close={() => setAsked(undefined)}>
          <p>{t(`ask.${asked}`)}</p>
          <Form action={t(asked)} submit={() => act(asked)}>
            <p class="actions">
              <button type="button" onClick={() => setAsked(undefined)}>
                {t('cancel')}
              </button>
            </p>
          </Form>
        </Dialog>
      )}
    </>
  );
}
