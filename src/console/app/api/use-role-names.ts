import { useQuery } from '@tanstack/preact-query';

import { call } from './client';
import type { Role } from './types';
import { useCan } from './use-can';

/** None until they are known, and for a caller who may not read them. */
export function useRoleNames(): readonly string[] {
  const can = useCan();
  const { data } = useQuery({
    queryKey: ['roles'],
    queryFn: () => call<{ items: Role[] }>('GET', 'api/roles'),
    enabled: can('roles:read'),
  });
  return data?.items.map(({ name }) => name) ?? [];
}
