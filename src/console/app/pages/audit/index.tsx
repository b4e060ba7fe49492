import { keepPreviousData, useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';

import { call, type Page, type TrailEvent } from '../../api';
import { useTexts } from '../../texts';
import { EVENT_TEXTS } from '../../texts/events';
import { Field, ProblemNotice, Section, Select, Table } from '../../ui';
import { Export } from './export';

const PAGE_SIZE = '50';
const FOLLOW_INTERVAL_MS = 10_000;

export function AuditPage({ user }: { user: string }) {
  const { t, time, event, language } = useTexts();
  const [conditions, setConditions] = useState({ user, type: '' });
  const [cursor, setCursor] = useState('');
  const [isFollowing, setFollowing] = useState(false);
  const filter = Object.entries(conditions).filter(([, value]) => value !== '');
  const query = new URLSearchParams([
    ...filter,
    ...(cursor === '' ? [] : [['cursor', cursor]]),
    ['limit', PAGE_SIZE],
  ]).toString();
  const { data, error, refetch } = useQuery({
    queryKey: ['audit', query],
    queryFn: () => call<Page<TrailEvent>>('GET', `api/audit?${query}`),
    placeholderData: keepPreviousData,
    ...(isFollowing ? { refetchInterval: FOLLOW_INTERVAL_MS } : {}),
  });
  const change = (changed: Partial<typeof conditions>): void => {
    setCursor('');
    setConditions({ ...conditions, ...changed });
  };
  // Each page that this view reads is an event itself.
  const isShown = ({ type }: TrailEvent): boolean => !isFollowing || type !== 'audit-read';
  return (
    <>
      <h1>{t('audit')}</h1>
      <div class="card">
        <search class="filters">
          <Select
            label={t('eventType')}
            value={conditions.type}
            options={[['', t('all')], ...Object.entries(EVENT_TEXTS[language])]}
            change={(type) => change({ type })}
          />
          <Field
            label={t('userId')}
            value={conditions.user}
            onChange={({ currentTarget }) => change({ user: currentTarget.value.trim() })}
          />
        </search>
        <label class="choice">
          <input
            type="checkbox"
            checked={isFollowing}
            onChange={({ currentTarget }) => {
              setCursor('');
              setFollowing(currentTarget.checked);
            }}
          />
          {t('follow')}
        </label>
        <ProblemNotice error={error} retry={refetch} />
        {data && (
          <Table
            label={t('audit')}
            head={['time', 'event', 'result', 'actor', 'subject', 'address', 'details']}
            empty="noEvents"
            rows={data.items.filter(isShown).map((each) => ({
              key: each.id,
              cells: [
                time(each.at),
                event(each.type),
                each.result && t(`result.${each.result}`),
                <Party of={each.actor} />,
                <Party of={each.subject} />,
                each.ip,
                detailsOf(each),
              ],
            }))}
          />
        )}
        <p class="actions">
          {cursor !== '' && (
            <button type="button" onClick={() => setCursor('')}>
              {t('first')}
            </button>
          )}
          {data?.nextCursor && (
            <button type="button" onClick={() => setCursor(data.nextCursor!)}>
              {t('more')}
            </button>
          )}
        </p>
      </div>
      <Section title={t('export')}>
        <Export filter={filter} />
      </Section>
    </>
  );
}

function Party({ of }: { of: { readonly kind: string; readonly id?: string } | undefined }) {
  if (!of) {
    return null;
  }
  return (
    <>
      {of.kind} {of.kind === 'user' && of.id ? <a href={`#/users/${of.id}`}>{of.id}</a> : of.id}
    </>
  );
}

function detailsOf({ reason, details }: TrailEvent): string {
  return [reason, details && JSON.stringify(details)].filter(Boolean).join(' ');
}
