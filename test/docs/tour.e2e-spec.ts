import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { HttpClient } from '../support/http-client.js';
import { freePort } from '../support/free-port.js';
import { codeSpans, sections, tableWith } from '../support/markdown.js';
import { readOperations } from '../support/openapi.js';
import { formOf, runBlocks, shellEnvironment, stepsOf, type Step } from '../support/shell-steps.js';

const TEST_TIMEOUT_MS = 120_000;
const CLUSTER_PORT = '.data/cluster/first-port';
const CLUSTER_PORTS_FROM = 13_000 + 100 * Number(process.env['JEST_WORKER_ID'] ?? 0);
/** Runs the commands in the tour of the README unchanged, in order, and compares their output. */
describe('the tour of the README', () => {
  const readme = readFileSync('README.md', 'utf8');
  const steps = stepsOf(sections(readme)[0]!);
  let folder: string;
  let ports: readonly [one: number, two: number];
  const terminals: Terminal[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keyslot-tour-'));
    // The project with its own data, and a stored port as from an earlier run: other tests use the default ports.
    mkdirSync(join(folder, '.data/cluster'), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, CLUSTER_PORT), String(CLUSTER_PORTS_FROM));
    for (const name of readdirSync('.').filter((file) => /^(?:[^.]|\.npmrc)/.test(file))) {
      symlinkSync(resolve(name), join(folder, name));
    }
    ports = [await freePort(), await freePort()];
  });
  afterAll(async () => {
    // The terminal of the cluster last.
    for (const terminal of terminals.reverse()) {
      await terminal.interrupt();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  /** Replaces the ports of the README, which other programs may use. Nothing else is replaced. */
  const withTestPorts = (text: string): string =>
    text.replaceAll(/(?<=127\.0\.0\.1:|PORT=)(?:3000|3001|7000)/g, (port) => {
      const clusterPort = (): string => readFileSync(join(folder, CLUSTER_PORT), 'utf8');
      return port === '7000' ? clusterPort() : String(ports[port === '3000' ? 0 : 1]);
    });

  it(
    'prints the output shown in the README',
    async () => {
      const isStart = ({ commands }: Step): boolean => commands.includes('npm start');
      expect(steps.map(isStart)).toEqual([true, true, ...steps.slice(2).map(() => false)]);
      for (const { commands, shown } of steps.filter(isStart)) {
        const terminal = new Terminal(withTestPorts(commands), folder, ports[0]);
        terminals.push(terminal);
        await terminal.until('Swagger UI');
        if (shown !== undefined) {
          expect(terminal.withoutLog()).toContain(withTestPorts(shown));
        }
      }

      const others = steps.slice(2);
      const said = await runBlocks(
        others.map(({ commands }) => withTestPorts(commands)),
        folder,
      );

      others.forEach(({ commands, shown }, index) => {
        const printed = formOf(said[index]!);
        expect({ commands, printed }).toEqual({
          commands,
          printed: formOf(withTestPorts(shown ?? '')),
        });
      });
    },
    TEST_TIMEOUT_MS,
  );

  it('is followed by a table of all API routes, and no others', async () => {
    const api = new HttpClient(`http://127.0.0.1:${ports[0]}`);
    const documented = (await readOperations(api)).map(({ method, path }) => `${method} ${path}`);
    // The console, Swagger UI and the problem pages are not in the API description.
    const pages = [
      'GET /console',
      'POST /console/session',
      'POST /console/session/refresh',
      'DELETE /console/session',
      'GET /docs',
      '/docs-json',
      'GET /problems/{code}',
    ];

    const listed = tableWith('POST /api/users', readme).flatMap(([route]) => codeSpans(route!));

    expect(listed.sort()).toEqual([...documented, ...pages].sort());
    for (const page of ['/console/', '/docs', '/docs-json', '/problems/not-found']) {
      expect((await api.request('GET', page)).status).toBe(200);
    }
  });
});

/** A terminal in which a program runs until Ctrl-C. */
class Terminal {
  output = '';
  private readonly shell: ChildProcess;
  private readonly ended: Promise<unknown>;
  private notice = (): void => undefined;

  constructor(commands: string, cwd: string, port: number) {
    const env = { ...shellEnvironment(), PORT: String(port) };
    this.shell = spawn('sh', ['-euc', commands], { cwd, env, detached: true });
    for (const stream of [this.shell.stdout!, this.shell.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.notice();
      });
    }
    this.ended = once(this.shell, 'close');
  }

  async until(text: string): Promise<void> {
    const seen = new Promise<void>((done) => {
      this.notice = () => (this.output.includes(text) ? done() : undefined);
      this.notice();
    });
    await Promise.race([seen, this.ended]);
    if (!this.output.includes(text)) {
      throw new Error(`"${text}" was not printed, but:\n${this.output}`);
    }
  }

  /** The output without log lines. */
  withoutLog(): string {
    return this.output.replace(/^\{"level":.*\n/gm, '');
  }

  /** Signals all processes in it, like Ctrl-C. */
  async interrupt(): Promise<void> {
    if (this.shell.exitCode === null) {
      process.kill(-this.shell.pid!, 'SIGINT');
    }
    await this.ended;
  }
}
