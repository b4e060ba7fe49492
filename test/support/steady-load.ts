import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** Longer than an instance takes to answer, and shorter than a test. */
const TIMEOUT_MS = 20_000;
/** Between two requests of a connection. Without it, the load takes the cores that the instance needs to restart. */
const PAUSE_MS = 5;

export interface LoadTarget {
  readonly url: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly connections: number;
  /** Whether each connection is used for many requests, or for one. */
  readonly keepAlive: boolean;
}

/** Sends requests from several connections until it is stopped, one after the other on each. Counts answers and errors. */
export class SteadyLoad {
  /** Answers by status. */
  readonly answers = new Map<number, number>();
  /** The code of each request without an answer. */
  readonly errors: string[] = [];
  private isStopped = false;
  private readonly agent: Agent;
  private readonly done: Promise<unknown>;

  constructor(private readonly target: LoadTarget) {
    this.agent = new Agent({ keepAlive: target.keepAlive, maxSockets: target.connections });
    this.done = Promise.all(
      Array.from({ length: target.connections }, async () => {
        while (!this.isStopped) {
          await this.send();
          await delay(PAUSE_MS);
        }
      }),
    );
  }

  get answered(): number {
    return [...this.answers.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Returns after the last answer. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.done;
    this.agent.destroy();
  }

  private async send(): Promise<void> {
    const { url, path, headers = {} } = this.target;
    const answer = new Promise<number>((resolve, reject) => {
      request(url + path, { agent: this.agent, headers, timeout: TIMEOUT_MS })
        .once('response', (response: IncomingMessage) => {
          response
            .resume()
            .once('end', () => resolve(response.statusCode!))
            .once('error', reject);
        })
        .once('timeout', function (this: { destroy(error: Error): void }) {
          this.destroy(Object.assign(new Error('no answer'), { code: 'TIMEOUT' }));
        })
        .once('error', reject)
        .end();
    });
    try {
      const status = await answer;
      this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
    } catch (error) {
      this.errors.push((error as NodeJS.ErrnoException).code ?? String(error));
    }
  }
}
