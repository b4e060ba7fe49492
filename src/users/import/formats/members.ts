import { RefusedRecord } from '../imported-user.js';

export type Members = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads the members of a record. A member of the wrong type is a refusal, which `refusal` has afterwards. */
export class MemberReader {
  refusal: RefusedRecord | undefined;

  constructor(private readonly members: Members) {}

  /** @returns undefined when the member is absent, null or empty */
  text(name: string): string | undefined {
    const value = this.members[name];
    if (value !== undefined && value !== null && typeof value !== 'string') {
      this.refuse(`${name} must be a text`);
      return undefined;
    }
    return value || undefined;
  }

  /** @returns false when the member is absent or null */
  flag(name: string, absent = false): boolean {
    const value = this.members[name] ?? absent;
    if (typeof value !== 'boolean') {
      this.refuse(`${name} must be true or false`);
    }
    return value === true;
  }

  /** @returns undefined when the member is absent or null */
  time(name: string): Date | undefined {
    const value = this.members[name] ?? undefined;
    if (value === undefined) {
      return undefined;
    }
    const isTime =
      typeof value === 'number' || (typeof value === 'string' && /^\d{4}-/.test(value));
    const time = new Date(isTime ? value : NaN);
    if (!(time.getTime() >= 0)) {
      this.refuse(`${name} must be a time after 1970`);
      return undefined;
    }
    return time;
  }

  /** @returns an empty list when the member is absent or null */
  texts(name: string): readonly string[] {
    const value = this.members[name] ?? [];
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
      return value;
    }
    this.refuse(`${name} must be a list of texts`);
    return [];
  }

  refuse(detail: string): void {
    this.refusal ??= new RefusedRecord('invalid-record', detail);
  }
}

/** `Ada Lovelace`, if there are names. */
export function fullName(...names: readonly (string | undefined)[]): string | null {
  return (
    names
      .map((name) => name?.trim())
      .filter(Boolean)
      .join(' ') || null
  );
}
