import { useState } from 'preact/hooks';

import { deleteAccount } from '../../api';
import { useTexts } from '../../texts';
import { Dialog, Form, PasswordField, Section } from '../../ui';

export function Deletion({ username }: { username: string }) {
  const { t } = useTexts();
  const [isAsked, setAsked] = useState(false);
  const close = (): void => setAsked(false);
  return (
    <Section title={t('deleteOwn')}>
      <p class="actions">
        <button type="button" class="danger" onClick={() => setAsked(true)}>
          {t('deleteOwn')}
        </button>
      </p>
      {isAsked && (
        <Dialog title={`${t('deleteOwn')}: ${username}`} close={close}>
          <p>{t('ask.deleteOwn')}</p>
          <Form
            action={t('deleteOwn')}
            isDangerous
            submit={({ password = '' }) => deleteAccount(password)}
            cancel={close}
          >
            <PasswordField />
          </Form>
        </Dialog>
      )}
    </Section>
  );
}
