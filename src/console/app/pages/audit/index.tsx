import { useState } from 'preact/hooks';

import { useKnownUsers, usePage, type TrailEvent } from '../../api';
import { useTexts } from '../../texts';
import { EVENT_TEXTS } from '../../texts/events';
import { Field, Pager, ProblemNotice, Section, Select, Table } from '../../ui';
import { detailsOf, Party } from './event-cells';
import { Export } from './export';

const PAGE_SIZE = '50';
const FOLLOW_INTERVAL_MS = 10_000;

export function AuditPage({ user }: { user: string }) {
  const { t, time, event, language } = useTexts();
  const [conditions, setConditions] = useState({ user, type: '' });
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const [isFollowing, setFollowing] = useState(false);
  const filter = Object.entries(conditions).filter(([, value]) => value !== '');
  const query = new URLSearchParams([
    ...filter,
    ...cursors.slice(-1).map((cursor) => ['cursor', cursor]),
    ['limit', PAGE_SIZE],
  ]).toString();
  const users = useKnownUsers();
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
                <Party of={each.actor} users={users} />,
                <Party of={each.subject} users={users} />,
                each.ip,
                detailsOf(each),
              ],
            }))}
          />
        )}
        <Pager cursors={cursors} next={data?.nextCursor} change={setCursors} />
      </div>
      <Section title={t('export')}>
        <Export filter={filter} />
      </Section>
    </>
  );
}
