/**
 * Items grouped by the time at which they are due. `take` visits only items that are due, and each distinct time at most once for
 * each unit of time. Times are whole numbers in a unit of the caller's choice, for example seconds.
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

  /** Removes the items whose time is `now` or earlier. @returns them */
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
