import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { Secret } from '../../src/common/secret/index.js';
import type { EmbeddedCluster } from '../../src/embedded-cluster/index.js';
import { RedisCluster } from '../../src/redis-cluster/index.js';
import { UserWriter } from '../../src/user-slot/write/index.js';
import { Argon2PasswordHasher, type NewUser, type UserQuery } from '../../src/users/index.js';
import { DirectoryIndex, PARTITIONS } from '../../src/users/directory/directory-index.js';
import { termsOf } from '../../src/users/directory/directory-terms.js';
import { RedisUserDirectory } from '../../src/users/directory/redis-user-directory.js';
import { ACCOUNTS, type Accounts } from '../../src/users/store/accounts.js';
import { productScripts } from '../support/lua-script.js';
import { latencyOf, type Latency } from './latency.js';
import { inParallel } from './population.js';
import { inBatches } from './seeding.js';
import { startScaleInstance, type ScaleInstance } from './scale-instance.js';

/** This many users register. Further ones are written in batches, which is faster. */
const MAX_REGISTERED = 10_000;
/** What a registration runs for the user and the directory. */
const SEEDING = ['create-user.lua', 'begin-user-change.lua', 'end-user-change.lua'];
const PAGE = 20;
const LARGEST_PAGE = 100;
const PAGES_PER_ROUND = 200;
const ROUNDS = 3;
const PARTS = ['terms', 'entries', 'due'];

export interface ListingReport {
  readonly users: number;
  /** Registrations per second, each with a hash that was computed before. Absent when most users were written in batches. */
  readonly registrationsPerSecond?: number;
  /** Of the keys of the directory, by MEMORY USAGE. */
  readonly directoryBytesPerUser: number;
  /** The time of pages of 20. */
  readonly firstPage: Latency;
  readonly middlePage: Latency;
  readonly lastPage: Latency;
  /** A prefix that more than a page of names begins with. */
  readonly searchOfManyNames: Latency;
  /** A prefix that one address begins with, and no name. */
  readonly searchOfOneAddress: Latency;
}

/** Registers or writes users with an address, and measures pages of the directory at each number of users. */
export async function measureListing(
  cluster: EmbeddedCluster,
  steps: readonly number[],
  onProgress: (text: string) => void,
): Promise<ListingReport[]> {
  const instance = await startScaleInstance(cluster);
  const accounts = instance.context.get<Accounts>(ACCOUNTS, { strict: false });
  const directory = instance.context.get(RedisUserDirectory, { strict: false });
  const hash = new Secret(await new Argon2PasswordHasher().hash(new Secret('one for all of them')));
  const reports: ListingReport[] = [];
  let registered = 0;
  for (const step of steps) {
    const begin = performance.now();
    const isWrittenInBatches = step > MAX_REGISTERED;
    await (isWrittenInBatches
      ? seed(cluster, instance, registered, step, hash)
      : inParallel(registered, step, async (user) => register(accounts, user, hash)));
    const seconds = (performance.now() - begin) / 1000;
    const perSecond = Math.round((step - registered) / seconds);
    registered = step;
    const { users, middle, last } = await readAll(directory);
    reports.push({
      users,
      ...(isWrittenInBatches ? {} : { registrationsPerSecond: perSecond }),
      directoryBytesPerUser: Math.round((await directoryBytes(cluster, instance)) / users),
      ...(await latencies(directory, { users, middle, last })),
    });
    onProgress(JSON.stringify(reports.at(-1)));
  }
  await instance.context.close();
  return reports;
}

async function seed(
  cluster: EmbeddedCluster,
  { context }: ScaleInstance,
  from: number,
  to: number,
  hash: Secret,
): Promise<void> {
  const writer = context.get(UserWriter, { strict: false });
  const index = context.get(DirectoryIndex, { strict: false });
  const redis = context.get(RedisCluster, { strict: false });
  const all = productScripts();
  const scripts = SEEDING.map((script) => all.find(({ name }) => name === script)!);
  await inBatches(cluster, redis, scripts, async () =>
    inParallel(from, to, async (number) => {
      const user = newUser(number);
      const change = randomUUID();
      await index.begin(user.id, change, termsOf(user), Deadline.none);
      await writer.create(user, hash, Deadline.none);
      await index.end(user.id, change, true, Deadline.none);
    }),
  );
}

async function register(accounts: Accounts, user: number, hash: Secret): Promise<void> {
  // A name is taken if an earlier attempt, which was not confirmed, has registered the user.
  await accounts.create(newUser(user), () => Promise.resolve(hash), Deadline.none);
}

/** Not in the order of the names, as real users register. No address begins like a name. */
function newUser(user: number): NewUser {
  const number = String(user).split('').reverse().join('');
  const username = `user-${number}-${user}`;
  return {
    // Another one for each attempt: a registration that was not confirmed must not succeed later.
    id: randomUUID(),
    username,
    usernameKey: username,
    roles: [],
    email: `mail-${user}@example.com`,
    displayName: `User ${user}`,
  };
}

async function latencies(
  directory: RedisUserDirectory,
  { users, middle, last }: Listed,
): Promise<Omit<ListingReport, 'users' | 'registrationsPerSecond' | 'directoryBytesPerUser'>> {
  const timeOf = async (query: (number: number) => UserQuery, after?: string): Promise<Latency> =>
    latencyOf(PAGES_PER_ROUND, ROUNDS, async (_, number) =>
      directory.list(query(number), after, PAGE, Deadline.none),
    );
  const everyone = (): UserQuery => ({});
  return {
    firstPage: await timeOf(everyone),
    middlePage: await timeOf(everyone, middle),
    lastPage: await timeOf(everyone, last),
    searchOfManyNames: await timeOf((number) => ({ prefix: `user-${1 + (number % 9)}` })),
    searchOfOneAddress: await timeOf((number) => ({ prefix: `mail-${(number * 37) % users}@` })),
  };
}

/** All users, and the cursors of the middle page and of the last one. */
interface Listed {
  readonly users: number;
  readonly middle: string;
  readonly last: string;
}

/** Reads all pages. @throws if a user is listed twice */
async function readAll(directory: RedisUserDirectory): Promise<Listed> {
  const cursors: string[] = [];
  const listed = new Set<string>();
  let count = 0;
  let after: string | undefined;
  do {
    const page = (await directory.list({}, after, LARGEST_PAGE, Deadline.none))!;
    page.users.forEach(({ id }) => listed.add(id));
    count += page.users.length;
    after = page.next;
    if (after !== undefined) {
      cursors.push(after);
    }
  } while (after !== undefined);
  if (listed.size !== count) {
    throw new Error(`${count} users are listed, but only ${listed.size} different ones`);
  }
  return { users: count, middle: cursors[Math.floor(cursors.length / 2)]!, last: cursors.at(-1)! };
}

async function directoryBytes(
  cluster: EmbeddedCluster,
  { context }: ScaleInstance,
): Promise<number> {
  const redis = context.get(RedisCluster, { strict: false });
  let bytes = 0;
  for (const partition of PARTITIONS) {
    for (const part of PARTS) {
      const key = redis.keys.key(['user-directory', partition], part);
      const port = Number(redis.masterOf(key)?.split(':').at(-1));
      // A key without contents does not exist.
      bytes += Number(await cluster.call(port, 'MEMORY', 'USAGE', key, 'SAMPLES', 0)) || 0;
    }
  }
  return bytes;
}
