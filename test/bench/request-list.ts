import { writeFileSync } from 'node:fs';

/** A request of the load, as wrk sends it. */
export interface LoadRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  /** One whole line: the credential. */
  readonly header?: string;
  readonly body?: unknown;
}

/** Writes requests in the form that `requests.lua` reads. */
export function writeRequests(file: string, requests: readonly LoadRequest[]): void {
  writeFileSync(file, `${requests.map(lineOf).join('\n')}\n`);
}

function lineOf({ method = 'GET', path, header = '', body }: LoadRequest): string {
  return [method, path, header, body === undefined ? '' : JSON.stringify(body)].join('\t');
}

export const ownUser = (header: string): LoadRequest => ({ path: '/api/user', header });
