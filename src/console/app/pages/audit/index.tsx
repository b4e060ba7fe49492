import { useState } from 'preact/hooks';

import { useKnownUsers, usePage, type TrailEvent, type User } from '../../api';
import { useTexts } from '../../texts';
import { EVENT_TEXTS } from '../../texts/events';
import { Field, Pager, ProblemNotice, Section, Select, Table, UserLink } from '../../ui';
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

interface PartyProps {
  readonly of: { readonly kind: string; readonly id?: string } | undefined;
  readonly users: ReadonlyMap<string, User>;
}

function Party({ of, users }: PartyProps) {
  const { t } = useTexts();
  if (!of) {
    return null;
  }
  const { kind, id } = of;
  if (kind === 'user' && id) {
    return <UserLink id={id} name={users.get(id)?.username} />;
  }
  return (
    <>
      {t(isParty(kind) ? `party.${kind}` : 'subject.other')}{' '}
      {id && (
        <span class="id" title={id}>
          {id}
        </span>
      )}
    </>
  );
}

const PARTIES = ['user', 'client', 'anonymous', 'operator', 'system'] as const;

function isParty(kind: string): kind is (typeof PARTIES)[number] {
  return (PARTIES as readonly string[]).includes(kind);
}

function detailsOf({ reason, details = {} }: TrailEvent): string {
  const facts = Object.entries(details).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [...(reason ? [reason] : []), ...facts].join(', ');
}
