import { connect } from 'node:net';

/** A connection that is idle for this long has failed. */
const TIMEOUT_MS = 10_000;

/** Sends raw bytes and returns the whole response: for requests that no HTTP client sends. */
export async function rawHttp(url: string, message: string): Promise<string> {
  return rawHttpInParts(url, message, '');
}

/** Like `rawHttp`, with a second part that is sent after the first response bytes. */
export async function rawHttpInParts(url: string, first: string, second: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(first, 'latin1'));
    let answer = '';
    socket.setEncoding('latin1');
    socket.once('data', () => socket.write(second, 'latin1'));
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`not closed, after: ${answer}`)));
    socket.on('data', (chunk: string) => (answer += chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

/** A request as bytes, which closes the connection after the response. */
export function rawRequest(
  method: string,
  target: string,
  fields: readonly string[] = [],
  body?: string,
): string {
  const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body, 'latin1')}`];
  return [
    `${method} ${target} HTTP/1.1`,
    'Host: a',
    'Connection: close',
    ...fields,
    ...length,
    '',
    body ?? '',
  ].join('\r\n');
}

/** Sends bytes and closes the connection without waiting for a response. */
export async function sendAndHangUp(url: string, message: string): Promise<void> {
  const { hostname, port } = new URL(url);
  await new Promise<void>((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.write(message, () => socket.destroy());
  });
}

export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
}

/** The number of responses on one connection. */
export function answersIn(answers: string): number {
  return answers.match(/HTTP\/1\.1 \d{3} /g)?.length ?? 0;
}
