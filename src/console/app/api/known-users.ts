import { useQueryClient, type QueryClient } from '@tanstack/preact-query';

import type { Page, User } from './types';

/** The users that the page has read. It reads none for their names: each read is an event of the trail. */
export function knownUsers(queries: QueryClient): ReadonlyMap<string, User> {
  const read = [
    ...queries
      .getQueriesData<Page<User>>({ queryKey: ['users'] })
      .flatMap(([, page]) => [...(page?.items ?? [])]),
    ...queries
      .getQueriesData<User>({ predicate: ({ queryKey }) => queryKey[2] === 'profile' })
      .map(([, user]) => user),
    queries.getQueryData<User>(['user']),
  ];
  return new Map(read.flatMap((user) => (user ? [[user.id, user] as const] : [])));
}

export function useKnownUsers(): ReadonlyMap<string, User> {
  return knownUsers(useQueryClient());
}
