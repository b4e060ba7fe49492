import { request } from 'node:http';

/** Longer than any request takes. */
const TIMEOUT_MS = 10_000;

export interface ExactRequest {
  readonly method: string;
  /** Sent unchanged, without normalization or encoding. */
  readonly target: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer | undefined;
}

export interface ExactAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Sends requests that fetch would change or refuse: any target, any body with any method. */
export async function sendExactly(url: string, sent: ExactRequest): Promise<ExactAnswer> {
  return new Promise((resolve, reject) => {
    const length = sent.body && ['Content-Length', String(sent.body.length)];
    const outgoing = request(url, {
      method: sent.method,
      path: sent.target,
      headers: [...sent.fields.flat(), ...(length ?? [])],
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    outgoing.setNoDelay();
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => (text += chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const { statusCode: status = 0, headers } = incoming;
        resolve({ status, type: headers['content-type'] ?? '', text });
      });
    });
    outgoing.end(sent.body);
  });
}
