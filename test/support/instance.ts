import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';

import { HttpClient } from './http-client.js';
import { eventually } from './own-cluster.js';
import { testVariables } from './test-app.js';

const READY = /API\s+(http:\S+)\/api\s/;

/** One instance in a process of its own, as a container runs it. */
export interface Instance extends HttpClient {
  readonly pid: number;
  /** All that it has printed. */
  output(): string;
  /** What its audit log holds of one type, when all has arrived that was logged until now. */
  audited(type: string): Promise<Record<string, unknown>[]>;
  signal(signal: NodeJS.Signals): void;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Ends it as an operator does. */
  stop(): Promise<void>;
}

/**
 * An instance on the test cluster, ready for requests. Its keys are those of REDIS_KEY_PREFIX: name that of another
 * instance to start a second one of the same deployment.
 */
export async function startInstance(
  variables: Record<string, string> & { readonly REDIS_KEY_PREFIX: string },
): Promise<Instance> {
  const child = spawn(process.execPath, [resolve('dist/main.js')], {
    cwd: tmpdir(), // where no .env is
    env: { PATH: process.env['PATH'], ...testVariables({ LOG_LEVEL: 'info', ...variables }) },
  });
  let output = '';
  let isEnded = false;
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  void ended.then(() => (isEnded = true));
  const url = await new Promise<string | undefined>((done) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const found = READY.exec(output)?.[1];
        if (found !== undefined) {
          done(found);
        }
      });
    }
    void ended.then(() => done(undefined));
  });
  if (url === undefined) {
    throw new Error(`the instance did not start:\n${output}`);
  }
  const signal = (name: NodeJS.Signals): void => {
    if (!isEnded) {
      process.kill(child.pid!, name);
    }
  };
  const endWith = async (name: NodeJS.Signals): Promise<void> => {
    signal(name);
    await ended;
  };
  const client = new HttpClient(url);
  const untilLogged = async (): Promise<void> => {
    const { body } = await client.request('GET', '/a-mark-in-the-log');
    const mark = String(body['requestId']);
    await eventually('the log has arrived', 5000, () => Promise.resolve(output.includes(mark)));
  };
  return Object.assign(client, {
    pid: child.pid!,
    signal,
    output: () => output,
    audited: async (type: string) => {
      await untilLogged();
      return auditEvents(output).filter((event) => event['type'] === type);
    },
    kill: async () => endWith('SIGKILL'),
    stop: async () => endWith('SIGTERM'),
  });
}

function auditEvents(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as { audit?: Record<string, unknown> })
    .flatMap(({ audit }) => (audit ? [audit] : []));
}
