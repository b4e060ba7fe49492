import { Agent, request } from 'node:http';

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** One complete header line: the credential. */
  readonly header?: string;
  readonly body?: unknown;
}

export interface TimedAnswer {
  readonly body: string;
  readonly ms: number;
}

/** One client that sends requests in sequence, over keep-alive connections. */
export class Caller {
  private readonly agent = new Agent({ keepAlive: true });

  /** @throws when the response is not a success */
  async call(url: string, { method, path, header, body }: Call): Promise<TimedAnswer> {
    const [name, value] = header?.split(': ') ?? [];
    const headers = {
      ...(name !== undefined && value !== undefined ? { [name]: value } : {}),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    };
    const begin = performance.now();
    const { status, text } = await new Promise<{ status: number; text: string }>((done, fail) => {
      const sent = request(`${url}${path}`, { method, headers, agent: this.agent }, (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (part: string) => (received += part));
        response.once('end', () => done({ status: response.statusCode ?? 0, text: received }));
        response.once('error', fail);
      });
      sent.once('error', fail).end(body === undefined ? undefined : JSON.stringify(body));
    });
    const ms = performance.now() - begin;
    if (status < 200 || status > 299) {
      throw new Error(`${method} ${url}${path} answers ${status}: ${text}`);
    }
    return { body: text, ms };
  }

  close(): void {
    this.agent.destroy();
  }
}
