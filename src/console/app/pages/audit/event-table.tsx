import { useKnownUsers, type TrailEvent, type User } from '../../api';
import { useTexts } from '../../texts';
import { Table, UserLink } from '../../ui';

interface EventTableProps {
  readonly label: string;
  readonly events: readonly TrailEvent[];
  /** Whether to show whom an event concerns. */
  readonly hasSubjects?: boolean;
}

/** Events of the trail, a row each. */
export function EventTable({ label, events, hasSubjects = false }: EventTableProps) {
  const { t, time, event } = useTexts();
  const users = useKnownUsers();
  const subject = hasSubjects ? (['subject'] as const) : [];
  return (
    <Table
      label={label}
      head={['time', 'event', 'result', 'actor', ...subject, 'address', 'details']}
      empty="noEvents"
      rows={events.map((each) => ({
        key: each.id,
        cells: [
          time(each.at),
          event(each.type),
          each.result && t(`result.${each.result}`),
          <Party of={each.actor} users={users} />,
          ...(hasSubjects ? [<Party of={each.subject} users={users} />] : []),
          each.ip,
          detailsOf(each),
        ],
      }))}
    />
  );
}

interface PartyProps {
  readonly of: { readonly kind: string; readonly id?: string } | undefined;
  readonly users: ReadonlyMap<string, User>;
}

/** Who caused an event, or whom it concerns. */
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

/** What the event adds to its type. */
function detailsOf({ reason, details = {} }: TrailEvent): string {
  const facts = Object.entries(details).map(([name, value]) => `${name}: ${textOf(value)}`);
  return [...(reason ? [reason] : []), ...facts].join(', ');
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) {
    return value.map(textOf).join(' ') || '–';
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}
