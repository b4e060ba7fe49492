import { useState } from 'preact/hooks';

import { usePage, type TrailEvent } from '../../api';
import { useTexts } from '../../texts';
import { EVENT_TEXTS } from '../../texts/events';
import { Field, Pager, ProblemNotice, Section, Select } from '../../ui';
import { EventTable } from './event-table';
import { Export } from './export';

const PAGE_SIZE = '50';
const FOLLOW_INTERVAL_MS = 10_000;

export function AuditPage({ user }: { user: string }) {
  const { t, language } = useTexts();
  const [conditions, setConditions] = useState({ user, type: '' });
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const [isFollowing, setFollowing] = useState(false);
  const filter = Object.entries(conditions).filter(([, value]) => value !== '');
  const query = new URLSearchParams([
    ...filter,
    ...cursors.slice(-1).map((cursor) => ['cursor', cursor]),
    ['limit', PAGE_SIZE],
  ]).toString();
  const { data, error, refetch } = usePage<TrailEvent>(
    'audit',
    query,
    isFollowing ? FOLLOW_INTERVAL_MS : undefined,
  );
  const change = (changed: Partial<typeof conditions>): void => {
    setCursors([]);
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
              setCursors([]);
              setFollowing(currentTarget.checked);
            }}
          />
          {t('follow')}
        </label>
        <ProblemNotice error={error} retry={refetch} />
        {data && <EventTable label={t('audit')} events={data.items.filter(isShown)} hasSubjects />}
        <Pager cursors={cursors} next={data?.nextCursor} change={setCursors} />
      </div>
      <Section title={t('export')}>
        <Export filter={filter} />
      </Section>
    </>
  );
}
