import { QueryClient, QueryClientProvider } from '@tanstack/preact-query';
import { render } from 'preact';

import { App } from './app';

const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });

render(
  <QueryClientProvider client={queries}>
    <App />
  </QueryClientProvider>,
  document.getElementById('app')!,
);
