import {
  keepPreviousData,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from '@tanstack/preact-query';

import { call } from './client';
import type { Page } from './types';

/**
 * A page of a long list. The former page stays until the next one has arrived. The request begins while the view is drawn, and
 * not after it: with the answers of this API, that is a good part of the time until the page is shown.
 */
export function usePage<Item>(
  list: string,
  query: string,
  refetchInterval?: number,
): UseQueryResult<Page<Item>> {
  const queries = useQueryClient();
  const options = {
    queryKey: [list, query],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      call<Page<Item>>('GET', `api/${list}?${query}`, undefined, signal),
  };
  if (!queries.getQueryState(options.queryKey)) {
    void queries.prefetchQuery(options);
  }
  return useQuery({
    ...options,
    placeholderData: keepPreviousData,
    ...(refetchInterval === undefined ? {} : { refetchInterval }),
  });
}
