/**
 * Items by the time at which they are due, in whole units. Taking what is due looks at no item that is not: at most once for each
 * unit of time, it looks at the times that occur.
 */
export class DueItems<Item> {
  private readonly itemsByTime = new Map<number, Set<Item>>();
  /** No item is due earlier. */
  private earliest = Infinity;

  add(at: number, item: Item): void {
    const items = this.itemsByTime.get(at) ?? new Set();
    this.itemsByTime.set(at, items.add(item));
    this.earliest = Math.min(this.earliest, at);
  }

  delete(at: number, item: Item): void {
    const items = this.itemsByTime.get(at);
    items?.delete(item);
    if (items?.size === 0) {
      this.itemsByTime.delete(at);
    }
  }

  /** Removes the items that are due. @returns them */
  take(now: number): Item[] {
    if (now < this.earliest) {
      return [];
    }
    const due: Item[] = [];
    this.earliest = Infinity;
    for (const [at, items] of this.itemsByTime) {
      if (at <= now) {
        this.itemsByTime.delete(at);
        items.forEach((item) => due.push(item));
      } else {
        this.earliest = Math.min(this.earliest, at);
      }
    }
    return due;
  }
}
