import type { ChangeEvent } from '../../near-cache/index.js';

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^user\.(.+)$/, 'user'],
  [/^service-accounts\.all\.(.+)$/, 'service-account'],
  [/^keys\.signing$/, 'signing-keys'],
  [/^roles\.all$/, 'roles'],
];

/** What a change concerns. `other`: a value of the application's own. */
interface Subject {
  readonly kind: string;
  readonly id?: string;
}

type Described<Event> = Event extends ChangeEvent
  ? Omit<Event, 'subject'> & { readonly subject: Subject }
  : never;

export type ChangeEventResponse = Described<ChangeEvent>;

export function describeChange(event: ChangeEvent): ChangeEventResponse {
  return { ...event, subject: subjectOf(event.subject) };
}

function subjectOf(subject: string): Subject {
  for (const [pattern, kind] of KINDS) {
    const match = pattern.exec(subject);
    if (match) {
      return { kind, ...(match[1] === undefined ? {} : { id: match[1] }) };
    }
  }
  return { kind: 'other' };
}
