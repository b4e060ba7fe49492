import { useState } from 'preact/hooks';

import { call } from '../../api';
import { useTexts } from '../../texts';
import { Done, Form } from '../../ui';

/** Only a confirmed address gets mails, also the one for a new password. */
export function UnconfirmedAddress() {
  const { t } = useTexts();
  const [isSent, setSent] = useState(false);
  return isSent ? (
    <Done>{t('sent')}</Done>
  ) : (
    <>
      <p class="faint">{t('unconfirmed')}</p>
      <Form
        action={t('confirmAddress')}
        submit={() => call('POST', 'api/user/email-verification').then(() => setSent(true))}
      />
    </>
  );
}
