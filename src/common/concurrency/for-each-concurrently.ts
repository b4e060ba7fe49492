/**
 * Calls `work` for each item, for at most `limit` items at the same time. After an error it begins no further item.
 *
 * @throws the first error of `work` or of the items, when the calls in progress have ended
 */
export async function forEachConcurrently<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  limit: number,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  // An iterator and not an array: all workers take from the same one.
  const remaining =
    Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let hasFailed = false;
  const takeAll = async (): Promise<void> => {
    let next = await remaining.next();
    for (; !hasFailed && next.done !== true; next = await remaining.next()) {
      await work(next.value);
    }
  };
  const worker = async (): Promise<void> =>
    takeAll().catch((error: unknown) => {
      hasFailed = true;
      throw error;
    });
  const results = await Promise.allSettled(Array.from({ length: limit }, worker));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) {
    // Closes what the items come from, such as a file.
    await remaining.return?.();
    throw failure.reason;
  }
}
