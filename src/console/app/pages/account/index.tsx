import { useQuery, useQueryClient } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';

import { call, type Session, type User } from '../../api';
import { useTexts } from '../../texts';
import { Done, Field, Form, ProblemNotice, Section, useConfirmation } from '../../ui';
import { deviceOf } from '../user/device';
import { SessionTable } from '../user/session-table';
import { Deletion } from './deletion';
import { Factors } from './factors';
import { UnconfirmedAddress } from './unconfirmed-address';

export function Account() {
  const { t } = useTexts();
  const {
    data: user,
    error,
    refetch,
  } = useQuery({ queryKey: ['user'], queryFn: () => call<User>('GET', 'api/user') });
  return (
    <>
      <h1>{t('account')}</h1>
      <ProblemNotice error={error} retry={refetch} />
      {user && <Profile user={user} />}
      <Password />
      <Sessions />
      <Factors />
      {user && <Deletion username={user.username} />}
    </>
  );
}

function Profile({ user }: { user: User }) {
  const { t } = useTexts();
  const queries = useQueryClient();
  const [isSaved, setSaved] = useState(false);
  const save = async ({ email, displayName }: Readonly<Record<string, string>>): Promise<void> => {
    setSaved(false);
    const changed = {
      ...(email === (user.email ?? '') ? {} : { email: email || null }),
      ...(displayName === (user.displayName ?? '') ? {} : { displayName: displayName || null }),
    };
    await call('PATCH', 'api/user', changed);
    // Not the answer: it may come after a sign-out, and somebody else may sign in then.
    await queries.invalidateQueries({ queryKey: ['user'] });
    setSaved(true);
  };
  return (
    <Section title={t('profile')}>
      <p class="faint">{user.username}</p>
      <Form action={t('save')} submit={save}>
        <Field
          label={t('displayName')}
          name="displayName"
          autocomplete="name"
          defaultValue={user.displayName ?? ''}
        />
        <Field
          label={t('email')}
          name="email"
          type="email"
          autocomplete="email"
          defaultValue={user.email ?? ''}
        />
        <Done>{isSaved && t('saved')}</Done>
      </Form>
      {user.email && !user.emailVerified && <UnconfirmedAddress key={user.email} />}
    </Section>
  );
}

function Password() {
  const { t } = useTexts();
  const queries = useQueryClient();
  const [isChanged, setChanged] = useState(false);
  const change = async (
    values: Readonly<Record<string, string>>,
    form: HTMLFormElement,
  ): Promise<void> => {
    setChanged(false);
    await call('PUT', 'api/user/password', values);
    form.reset();
    setChanged(true);
    await queries.invalidateQueries({ queryKey: ['sessions'] });
  };
  return (
    <Section title={t('password')}>
      <Form action={t('changePassword')} submit={change}>
        <Field
          label={t('currentPassword')}
          name="currentPassword"
          type="password"
          autocomplete="current-password"
          required
        />
        <Field
          label={t('newPassword')}
          name="newPassword"
          type="password"
          autocomplete="new-password"
          required
        />
        <Done>{isChanged && t('passwordChanged')}</Done>
      </Form>
    </Section>
  );
}

function Sessions() {
  const { t } = useTexts();
  const { data, error, refetch } = useQuery({
    queryKey: ['sessions'],
    queryFn: () => call<{ items: Session[] }>('GET', 'api/user/sessions'),
  });
  const { ask, confirmation } = useConfirmation();
  return (
    <Section title={t('sessions')}>
      <ProblemNotice error={error} retry={refetch} />
      {confirmation}
      {data && (
        <SessionTable
          sessions={data.items}
          end={({ id, userAgent }) =>
            ask({
              action: t('end'),
              subject: deviceOf(userAgent),
              consequence: t('ask.endSession'),
              run: () => call('DELETE', `api/user/sessions/${id}`),
              after: refetch,
            })
          }
        />
      )}
      <p class="actions">
        <button
          type="button"
          onClick={() =>
            ask({
              action: t('endOthers'),
              consequence: t('ask.endOthers'),
              run: () => call('DELETE', 'api/user/sessions'),
              after: refetch,
            })
          }
        >
          {t('endOthers')}
        </button>
      </p>
    </Section>
  );
}
