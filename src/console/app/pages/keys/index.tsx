import { useQuery } from '@tanstack/preact-query';

import { call, useCan, type SigningKey } from '../../api';
import { useTexts } from '../../texts';
import { ProblemNotice, Table, useConfirmation } from '../../ui';

export function KeysPage() {
  const { t, time } = useTexts();
  const mayChange = useCan()('keys:write');
  const { data, error, refetch } = useQuery({
    queryKey: ['keys'],
    queryFn: () => call<{ items: SigningKey[] }>('GET', 'api/keys'),
  });
  const { ask, confirmation } = useConfirmation();
  // The next key: to publish another one would do nothing.
  const isPublished = data?.items.some(({ state }) => state === 'published');
  const signing = data?.items.find(({ state }) => state === 'signing');
  const rotate = (name: 'rotate' | 'rotateNow', replaces: string) => (
    <button
      type="button"
      onClick={() =>
        ask({
          action: t(name),
          consequence: t(`ask.${name}`),
          run: () => call('POST', 'api/keys', { replaces, now: name === 'rotateNow' }),
          after: refetch,
        })
      }
    >
      {t(name)}
    </button>
  );
  const withdraw = (kid: string) => (
    <button
      type="button"
      class="danger"
      onClick={() =>
        ask({
          action: t('withdraw'),
          subject: kid,
          consequence: t('ask.withdraw'),
          isDangerous: true,
          run: () => call('DELETE', `api/keys/${kid}`),
          after: refetch,
        })
      }
    >
      {t('withdraw')}
    </button>
  );
  const shown = (iso: string | undefined): string => (iso === undefined ? '–' : time(iso));
  return (
    <>
      <h1>{t('keys')}</h1>
      {confirmation}
      <div class="card">
        <ProblemNotice error={error} retry={refetch} />
        {data && (
          <Table
            label={t('keys')}
            head={[
              ...(['key', 'state', 'created', 'signsFrom', 'signsUntil', 'removed'] as const),
              ...(mayChange ? (['actions'] as const) : []),
            ]}
            rows={data.items.map(({ kid, state, createdAt, signsFrom, signsUntil, removedAt }) => ({
              key: kid,
              cells: [
                <code>{kid}</code>,
                t(`key.${state}`),
                shown(createdAt),
                shown(signsFrom),
                shown(signsUntil),
                shown(removedAt),
                mayChange && state !== 'withdrawn' && withdraw(kid),
              ].slice(0, mayChange ? undefined : -1),
            }))}
          />
        )}
        {mayChange && signing && (
          <p class="actions">
            {!isPublished && rotate('rotate', signing.kid)}
            {rotate('rotateNow', signing.kid)}
          </p>
        )}
      </div>
    </>
  );
}
