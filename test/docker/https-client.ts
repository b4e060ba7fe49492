import { readFileSync } from 'node:fs';
import { request, type RequestOptions } from 'node:https';

import { HttpClient, type Answer } from '../support/http-client.js';

/** A client that connects from another address of this machine: any of 127.0.0.0/8 on Linux. */
export class HttpsClient extends HttpClient {
  constructor(
    url: string,
    private readonly options: { readonly ca: string; readonly localAddress?: string },
  ) {
    super(url);
  }

  override async request<Body = Record<string, unknown>>(
    method: string,
    path: string,
    sent: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer<Body>> {
    const { ca, ...options } = this.options;
    const body = typeof sent.body === 'string' ? sent.body : JSON.stringify(sent.body);
    return send<Body>(`${this.url}${path}`, body, {
      ...options,
      method,
      ca: readFileSync(ca),
      // Independent of the Host header.
      servername: new URL(this.url).hostname,
      // A new connection for each request, so that nginx distributes each request.
      agent: false,
      headers: {
        ...(sent.token === undefined ? {} : { authorization: `Bearer ${sent.token}` }),
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        ...sent.headers,
      },
    });
  }
}

async function send<Body>(
  url: string,
  body: string | undefined,
  options: RequestOptions,
): Promise<Answer<Body>> {
  return new Promise((done, fail) => {
    const outgoing = request(url, options, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      incoming.once('error', fail).once('end', () => {
        const headers = new Headers(
          Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
        );
        const isJson = text !== '' && /json/.test(headers.get('content-type') ?? '');
        done({
          status: incoming.statusCode ?? 0,
          headers,
          body: (isJson ? JSON.parse(text) : text) as Body,
        });
      });
    });
    outgoing.once('error', fail).end(body);
  });
}
