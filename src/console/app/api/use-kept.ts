import { useQueryClient } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';

export const KEPT = 'kept';

/** State that is still there when its view is opened again. It ends with the session, like all that is in the query cache. */
export function useKept<State>(
  name: string,
  initial: State,
): readonly [state: State, keep: (next: State) => void] {
  const queries = useQueryClient();
  const [state, setState] = useState(queries.getQueryData<State>([KEPT, name]) ?? initial);
  const keep = (next: State): void => {
    queries.setQueryData([KEPT, name], next);
    setState(next);
  };
  return [state, keep];
}
