/** A key that is published and does not sign yet. */
export interface PublishedKey {
  readonly kid: string;
  readonly createdAt: number;
  /** It signs at this time at the earliest. */
  readonly signsFrom: number;
}

export interface CurrentKey {
  readonly kid: string;
  /** Absent: a previous version of Keyslot has created the key, and no instance has stored a time yet. */
  readonly createdAt?: number;
  /** Whether `createdAt` is the time at which a newer version found a key of a previous version. */
  readonly isAdopted: boolean;
  readonly signsFrom?: number;
  readonly encryptedKey: string;
}

/** A key that verifies and does not sign any more. */
export interface RetiredKey {
  readonly kid: string;
  readonly createdAt: number;
  readonly signsFrom?: number;
  readonly signsUntil: number;
  /** Absent until it is known that no instance signs with the key. */
  readonly removeAt?: number;
}

/** All keys of the cluster. Times are in milliseconds since the epoch. */
export interface KeySet {
  /** The time of the node that has the keys, when they were read. */
  readonly now: number;
  readonly signing: CurrentKey;
  readonly published?: PublishedKey;
  readonly retired: readonly RetiredKey[];
  /** When each withdrawn key was withdrawn, by its id. */
  readonly withdrawn: ReadonlyMap<string, number>;
}

/** @param reply of `describe-keys.lua`. @returns undefined when the cluster has no key */
export function parseKeySet(reply: unknown): KeySet | undefined {
  const [now, list] = reply as [number, string[]];
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < list.length; index += 2) {
    fields.set(list[index]!, list[index + 1]!);
  }
  const [kid, encryptedKey, next] = ['current', 'private', 'next'].map((name) => fields.get(name));
  if (kid === undefined || encryptedKey === undefined) {
    return undefined;
  }
  const timeOf = (name: string): number | undefined =>
    fields.has(name) ? Number(fields.get(name)) : undefined;
  const [createdAt, signsFrom] = [timeOf('createdAt'), timeOf('signsFrom')];
  return {
    now,
    signing: {
      kid,
      encryptedKey,
      isAdopted: fields.has('isAdopted'),
      ...(createdAt === undefined ? {} : { createdAt }),
      ...(signsFrom === undefined ? {} : { signsFrom }),
    },
    ...(next === undefined ? {} : { published: parsePublished(next) }),
    retired: namedIn(fields, 'retired')
      .map(([id, text]): RetiredKey => ({ ...parseRetired(text), kid: id }))
      .sort((one, other) => other.signsUntil - one.signsUntil),
    withdrawn: new Map(namedIn(fields, 'withdrawn').map(([id, time]) => [id, Number(time)])),
  };
}

/** The ids and values of the fields `<name>:<id>`. */
function namedIn(fields: ReadonlyMap<string, string>, name: string): [string, string][] {
  return [...fields].flatMap(([field, value]): [string, string][] =>
    field.startsWith(`${name}:`) ? [[field.slice(name.length + 1), value]] : [],
  );
}

function parsePublished(text: string): PublishedKey {
  const { kid, createdAt, signsFrom } = JSON.parse(text) as PublishedKey;
  return { kid, createdAt, signsFrom };
}

function parseRetired(text: string): Omit<RetiredKey, 'kid'> {
  const { createdAt, signsFrom, signsUntil, removeAt } = JSON.parse(text) as RetiredKey;
  return {
    createdAt,
    signsUntil,
    ...(signsFrom === undefined ? {} : { signsFrom }),
    ...(removeAt === undefined ? {} : { removeAt }),
  };
}
