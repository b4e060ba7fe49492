import { useQuery, type QueryClient } from '@tanstack/preact-query';

import { ApiProblem, call } from './client';

/** Each view asks for the permissions, and they change rarely. */
const FRESH_FOR_MS = 30_000;

/** What the user may do. Only to hide what would be refused: the API decides. Undefined until it is known. */
export function usePermissions(): ReadonlySet<string> | undefined {
  const { data } = useQuery({
    queryKey: ['permissions'],
    queryFn: () => call<{ permissions: string[] }>('GET', 'api/user/permissions'),
    staleTime: FRESH_FOR_MS,
  });
  return data && new Set(data.permissions);
}

/** Until it is known, nothing is allowed. */
export function useCan(): (permission: string) => boolean {
  const permissions = usePermissions();
  return (permission) => permissions?.has(permission) === true;
}

/** After a refusal, asks again what the user may do: otherwise the page would repeat calls that the API refuses and records. */
export function forgetPermissions(queries: QueryClient, error: unknown): void {
  if (error instanceof ApiProblem && error.code === 'forbidden') {
    void queries.invalidateQueries({ queryKey: ['permissions'] });
  }
}
