/** Whom an entry belongs to, from the outside in: such as its class, its network, its account. */
export type FairPath = readonly string[];

/** Entries of one owner, or the owners within another one. */
class Group<Entry> {
  size = 0;
  readonly entries: Entry[] = [];
  /** In the order of their turns. Only groups that hold an entry. */
  readonly members = new Map<string, Group<Entry>>();
}

/**
 * A bounded queue that is divided fairly. Owners take turns, at each level of the path, so an entry waits for one entry of
 * each other owner and not for all that one owner has put in. When the queue is full, the newest entry of the largest owner
 * gives way: an owner that has little in the queue always finds a place.
 */
export class FairQueue<Entry> {
  private readonly root = new Group<Entry>();

  /**
   * @param maxSize entries that can wait
   * @param shares how the places are divided at the first level, as weights by name. A name without a weight has weight 1
   */
  constructor(
    private readonly maxSize: number,
    private readonly shares: Readonly<Record<string, number>> = {},
  ) {}

  get size(): number {
    return this.root.size;
  }

  /** @returns the entry that gave way because the queue is full: perhaps this one */
  push(path: FairPath, entry: Entry): Entry | undefined {
    let group = this.root;
    group.size += 1;
    for (const name of path) {
      let member = group.members.get(name);
      if (!member) {
        member = new Group();
        group.members.set(name, member);
      }
      member.size += 1;
      group = member;
    }
    group.entries.push(entry);
    return this.root.size > this.maxSize ? this.dropOfLargest() : undefined;
  }

  /** Takes the entry whose turn it is. */
  shift(): Entry | undefined {
    return this.root.size === 0 ? undefined : takeNext(this.root);
  }

  /** @returns whether the entry still waited */
  remove(path: FairPath, entry: Entry): boolean {
    return removeFrom(this.root, path, entry);
  }

  private dropOfLargest(): Entry | undefined {
    const path: string[] = [];
    let group = this.root;
    while (group.members.size > 0) {
      const name = largestOf(group, path.length === 0 ? this.shares : {});
      path.push(name);
      group = group.members.get(name)!;
    }
    const newest = group.entries.at(-1);
    if (newest !== undefined) {
      removeFrom(this.root, path, newest);
    }
    return newest;
  }
}

function takeNext<Entry>(group: Group<Entry>): Entry | undefined {
  group.size -= 1;
  for (const [name, member] of group.members) {
    const entry = takeNext(member);
    // Behind all others until its next turn.
    group.members.delete(name);
    if (member.size > 0) {
      group.members.set(name, member);
    }
    return entry;
  }
  return group.entries.shift();
}

function removeFrom<Entry>(group: Group<Entry>, path: FairPath, entry: Entry): boolean {
  const [name, ...rest] = path;
  if (name === undefined) {
    const index = group.entries.lastIndexOf(entry);
    if (index >= 0) {
      group.entries.splice(index, 1);
      group.size -= 1;
    }
    return index >= 0;
  }
  const member = group.members.get(name);
  if (!member || !removeFrom(member, rest, entry)) {
    return false;
  }
  group.size -= 1;
  if (member.size === 0) {
    group.members.delete(name);
  }
  return true;
}

/** Of two that are equally large, the one that came later: a newcomer takes no place from another who has as little. */
function largestOf<Entry>(
  { members }: Group<Entry>,
  shares: Readonly<Record<string, number>>,
): string {
  let largest = '';
  let most = 0;
  for (const [name, { size }] of members) {
    const weighted = size / (shares[name] ?? 1);
    if (weighted >= most) {
      most = weighted;
      largest = name;
    }
  }
  return largest;
}
