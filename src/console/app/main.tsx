import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/preact-query';
import { render } from 'preact';

import { ApiProblem, forgetPermissions, KEPT } from './api';
import { App } from './app';

const RETRY_INTERVAL_MS = 5000;

const queries = new QueryClient({
  queryCache: new QueryCache({ onError: (error) => forgetPermissions(queries, error) }),
  defaultOptions: {
    queries: {
      retry: false,
      // A stopped Redis or a lost connection comes back. What the API refuses stays refused.
      refetchInterval: ({ state: { error } }) =>
        error instanceof ApiProblem && (error.status === 0 || error.status >= 500)
          ? RETRY_INTERVAL_MS
          : false,
    },
  },
});

queries.setQueryDefaults([KEPT], { gcTime: Infinity });

render(
  <QueryClientProvider client={queries}>
    <App />
  </QueryClientProvider>,
  document.getElementById('app')!,
);
