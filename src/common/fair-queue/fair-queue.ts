/** The owners of an entry, from the outermost to the innermost, such as class, network and account. */
export type FairPath = readonly string[];

/** Entries of one owner, or the owners within another one. */
class Group<Entry> {
  size = 0;
  readonly entries: Entry[] = [];
  /** In the order of their turns. No group is empty. */
  readonly members = new Map<string, Group<Entry>>();
}

/**
 * A bounded queue with fair scheduling. Owners take turns at each level of the path, so an entry waits for one entry of each
 * other owner, and not for all entries of one owner. When the queue is full, the newest entry of the largest owner is
 * dropped, so an owner with few entries always finds a place.
 */
export class FairQueue<Entry> {
  private readonly root = new Group<Entry>();

  /**
   * @param maxSize maximum number of entries
   * @param shares weights of the owners at the first level, by name. Default 1
   */
  constructor(
    private readonly maxSize: number,
    private readonly shares: Readonly<Record<string, number>> = {},
  ) {}

  get size(): number {
    return this.root.size;
  }

  /** @returns the entry that was dropped because the queue is full, which may be this one */
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
    return this.root.size > this.maxSize ? this.dropFromLargest() : undefined;
  }

  /** Removes and returns the entry whose turn it is. */
  shift(): Entry | undefined {
    return this.root.size === 0 ? undefined : takeNext(this.root);
  }

  /** @returns whether the entry was in the queue */
  remove(path: FairPath, entry: Entry): boolean {
    return removeFrom(this.root, path, entry);
  }

  private dropFromLargest(): Entry | undefined {
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
    // Moves the member to the end of the order.
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

/** Of several largest members, returns the last one, so that a new owner cannot displace an owner of the same size. */
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
