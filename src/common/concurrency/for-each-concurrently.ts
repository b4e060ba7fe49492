/**
 * Calls `work` for each item, for at most `limit` items at the same time. After an error it begins no further item.
 *
 * @throws the first error of `work`, when the calls in progress have ended
 */
export async function forEachConcurrently<Item>(
  items: Iterable<Item>,
  limit: number,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  // An iterator and not an array: all workers take from the same one.
  const remaining = items[Symbol.iterator]();
  let hasFailed = false;
  const worker = async (): Promise<void> => {
    for (let next = remaining.next(); !hasFailed && next.done !== true; next = remaining.next()) {
      await work(next.value).catch((error: unknown) => {
        hasFailed = true;
        throw error;
      });
    }
  };
  const results = await Promise.allSettled(Array.from({ length: limit }, worker));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) {
    throw failure.reason;
  }
}
