import type { ServerProcess } from './server-process.js';

/** Headers that every server sends, or that differ each time. */
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

/** The response of a server to a request for the own user. @throws when it is not a success */
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

/** Otherwise the peers would do different work. @returns the length of the body, in bytes */
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
