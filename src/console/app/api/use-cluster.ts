import { useQuery, useQueryClient } from '@tanstack/preact-query';
import { useEffect, useState } from 'preact/hooks';

import { call } from './client';
import { follow } from './events';
import type { Change, Cluster } from './types';
import { forgetPermissions } from './use-can';

const MAX_CHANGES = 50;

export interface LiveCluster {
  readonly cluster: Cluster | undefined;
  /** The newest first. A later step of a change replaces the earlier one. */
  readonly changes: readonly Change[];
  /** Whether the state arrives. Undefined while connecting for the first time. */
  readonly isLive: boolean | undefined;
  /**
   * Whether the changes arrive, too. They pass through one shard of Redis, which may be lost while the instance answers. Undefined
   * until the instance has said so.
   */
  readonly hasChanges: boolean | undefined;
  readonly error: unknown;
}

/** The state of the cluster: a snapshot, then live. */
export function useCluster(isAllowed = true): LiveCluster {
  const queries = useQueryClient();
  const { data: cluster, error } = useQuery({
    queryKey: ['cluster'],
    queryFn: () => call<Cluster>('GET', 'api/cluster'),
    enabled: isAllowed,
  });
  const [changes, setChanges] = useState<readonly Change[]>([]);
  const [isLive, setLive] = useState<boolean>();
  const [hasChanges, setHasChanges] = useState<boolean>();
  const [streamError, setStreamError] = useState<unknown>();
  useEffect(() => {
    if (!isAllowed) {
      return undefined;
    }
    return follow('api/cluster/events', {
      onEvent: (type, data) => {
        if (type === 'status') {
          queries.setQueryData(['cluster'], data);
          setLive(true);
        } else if (type === 'connection') {
          setHasChanges((data as { isLive: boolean }).isLive);
        } else if (type === 'change') {
          const change = data as Change;
          setChanges((known) =>
            [change, ...known.filter(({ id }) => id !== change.id)].slice(0, MAX_CHANGES),
          );
        }
      },
      onState: (isOpen, reason) => {
        setStreamError(isOpen ? undefined : reason);
        if (!isOpen) {
          forgetPermissions(queries, reason);
          setLive(false);
          setHasChanges(undefined);
        }
      },
    });
  }, [isAllowed]);
  return { cluster, changes, isLive, hasChanges, error: streamError ?? error };
}
