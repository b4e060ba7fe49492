import { useQuery } from '@tanstack/preact-query';

import { call } from './client';

/** What the user may do. Only to hide what would be refused: the API decides. Until it is known, nothing is allowed. */
export function useCan(): (permission: string) => boolean {
  const { data } = useQuery({
    queryKey: ['permissions'],
    queryFn: () => call<{ permissions: string[] }>('GET', 'api/user/permissions'),
  });
  return (permission) => data?.permissions.includes(permission) === true;
}
