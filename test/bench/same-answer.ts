import type { ServerProcess } from './server-process.js';

/** Sent by every server, or different each time. */
const NOT_COMPARED = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'transfer-encoding',
]);

export interface ReferenceAnswer {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a server answers to a request for the own user. @throws when it refuses it */
export async function answersOf(
  server: Pick<ServerProcess, 'url'>,
  header: string,
): Promise<ReferenceAnswer> {
  const [name = '', value = ''] = header.split(': ');
  const response = await fetch(`${server.url}/api/user`, { headers: { [name]: value } });
  const body = await response.text();
  if (response.status !== 200) {
    throw new Error(`${server.url} answers ${response.status}: ${body}`);
  }
  const headers = [...response.headers].filter(([key]) => !NOT_COMPARED.has(key));
  return { body, headers: Object.fromEntries(headers) };
}

/** Or the peers would not be compared at the same work. @returns the length of the body, in bytes */
export async function expectSameBody(
  server: Pick<ServerProcess, 'url'>,
  header: string,
  expected: string,
): Promise<number> {
  const { body } = await answersOf(server, header);
  if (body !== expected) {
    throw new Error(`${server.url} answers ${body} instead of ${expected}`);
  }
  return Buffer.byteLength(body);
}
