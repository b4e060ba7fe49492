import { useQueryClient } from '@tanstack/preact-query';

import { call } from '../../api';
import { useTexts } from '../../texts';
import { Field, Form, useConfirmation } from '../../ui';

export function Invitation() {
  const { t } = useTexts();
  const queries = useQueryClient();
  const { ask, confirmation } = useConfirmation();
  return (
    <details class="card">
      <summary>{t('invite')}</summary>
      {confirmation}
      <Form
        action={t('invite')}
        submit={({ username = '', email }, form) => {
          ask({
            action: t('invite'),
            subject: username,
            consequence: t('ask.invite'),
            run: () => call('POST', 'api/users', { username, email }),
            result: t('invited'),
            after: () => {
              form.reset();
              return queries.invalidateQueries({ queryKey: ['users'] });
            },
          });
          return Promise.resolve();
        }}
      >
        <Field label={t('username')} name="username" required />
        <Field label={t('email')} name="email" type="email" required />
      </Form>
    </details>
  );
}
