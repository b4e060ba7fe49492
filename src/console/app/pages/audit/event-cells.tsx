import type { TrailEvent, User } from '../../api';
import { useTexts } from '../../texts';
import { UserLink } from '../../ui';

interface PartyProps {
  readonly of: { readonly kind: string; readonly id?: string } | undefined;
  readonly users: ReadonlyMap<string, User>;
}

/** Who caused an event, or whom it concerns. */
export function Party({ of, users }: PartyProps) {
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
export function detailsOf({ reason, details = {} }: TrailEvent): string {
  const facts = Object.entries(details).map(([name, value]) => `${name}: ${textOf(value)}`);
  return [...(reason ? [reason] : []), ...facts].join(', ');
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) {
    return value.map(textOf).join(' ') || '–';
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}
