import { useState } from 'preact/hooks';

import { useTexts } from '../../texts';
import { Dialog, Done } from '../../ui';

export interface NewSecret {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** The only place that shows a secret. */
export function SecretDialog({ clientId, clientSecret, close }: NewSecret & { close: () => void }) {
  const { t } = useTexts();
  const [isCopied, setCopied] = useState(false);
  return (
    <Dialog title={t('secret')} close={close}>
      <p>{t('keepSecret')}</p>
      <dl>
        <dt>{t('clientId')}</dt>
        <dd>
          <code>{clientId}</code>
        </dd>
        <dt>{t('secret')}</dt>
        <dd>
          <code>{clientSecret}</code>
        </dd>
      </dl>
      <Done>{isCopied && t('copied')}</Done>
      <form method="dialog" class="actions">
        <button
          type="button"
          class="primary"
          onClick={() =>
            void navigator.clipboard.writeText(clientSecret).then(() => setCopied(true))
          }
        >
          {t('copy')}
        </button>
        <button>{t('close')}</button>
      </form>
    </Dialog>
  );
}
