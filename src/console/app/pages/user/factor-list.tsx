import type { Factor } from '../../api';
import { useTexts, type TextKey } from '../../texts';
import { needsProof, ProblemNotice, Table, useAction } from '../../ui';

const TYPES: Readonly<Record<string, TextKey>> = {
  totp: 'factor.totp',
  passkey: 'factor.passkey',
  'recovery-code': 'factor.recovery-code',
};

interface FactorListProps {
  readonly query: {
    readonly data: { readonly items: readonly Factor[] } | undefined;
    readonly error: unknown;
    readonly refetch: (options?: { throwOnError: boolean }) => Promise<unknown>;
  };
  /** @param label names the factor for the user */
  readonly remove?: (id: string, label: string) => void;
}

/**
 * The own factors require a recent login, wherever they are read. The list asks for a new proof only when the user wants to see
 * them.
 */
export function FactorList({ query: { data, error, refetch }, remove }: FactorListProps) {
  const { t, time } = useTexts();
  const { isBusy, error: failed, run } = useAction();
  if (needsProof(error)) {
    return (
      <>
        <ProblemNotice error={failed} />
        <p>
          {t('factorsHidden')}{' '}
          <button
            type="button"
            disabled={isBusy}
            onClick={() => run(() => refetch({ throwOnError: true }))}
          >
            {t('showFactors')}
          </button>
        </p>
      </>
    );
  }
  const typeOf = (type: string): string => {
    const known = TYPES[type];
    return known ? t(known) : type;
  };
  return (
    <>
      <ProblemNotice error={error} retry={refetch} />
      {data && (
        <Table
          label={t('factors')}
          head={['type', 'name', 'created', 'lastUsed', ...(remove ? (['actions'] as const) : [])]}
          empty="noFactors"
          rows={data.items.map(({ id, type, name, createdAt, lastUsedAt }) => ({
            key: id,
            cells: [
              typeOf(type),
              name ?? '–',
              time(createdAt),
              lastUsedAt === null ? '–' : time(lastUsedAt),
              ...(remove
                ? [
                    <button type="button" onClick={() => remove(id, name ?? typeOf(type))}>
                      {t('remove')}
                    </button>,
                  ]
                : []),
            ],
          }))}
        />
      )}
    </>
  );
}
