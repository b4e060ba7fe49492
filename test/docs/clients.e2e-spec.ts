import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { codeBlocks } from '../support/markdown.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const TEST_TIMEOUT_MS = 120_000;
const NPM_START = 'http://127.0.0.1:3000';
const run = promisify(execFile);

/** Each marked line must not compile. The compiler reports marks that are not needed. */
const MISTAKES = `
import createClient from 'openapi-fetch';
import type { paths, ProblemResponse, UserResponse } from './keyslot.js';

const api = createClient<paths>({ baseUrl: 'http://127.0.0.1' });
export async function mistakes(problem: ProblemResponse, user: UserResponse): Promise<unknown[]> {
  return [
    // @ts-expect-error unknown path
    await api.GET('/api/usr'),
    // @ts-expect-error unknown method of the path
    await api.DELETE('/api/login'),
    // @ts-expect-error missing body
    await api.POST('/api/login'),
    // @ts-expect-error missing member
    await api.POST('/api/login', { body: { username: 'ada' } }),
    // @ts-expect-error wrong type of a member
    await api.PATCH('/api/user', { body: { displayName: 1 } }),
    // @ts-expect-error missing parameter
    await api.DELETE('/api/user/sessions/{id}'),
    // @ts-expect-error wrong type of an item
    await api.PATCH('/api/users/{id}', { params: { path: { id: '' } }, body: { roles: [7] } }),
    // @ts-expect-error unknown member of a user
    user.passwordHash,
    // @ts-expect-error unknown problem code
    problem.code === 'wrong-token',
    // @ts-expect-error nullable member
    user.email.length,
  ];
}
`;

/** Follows docs/clients.md step by step, against a real instance. */
describe('a typed client', () => {
  let api: TestApp;
  let project: string;
  beforeAll(async () => {
    api = await startTestApp();
    project = mkdtempSync(join(tmpdir(), 'keyslot-client-'));
    mkdirSync(join(project, 'src'));
    symlinkSync(resolve('node_modules'), join(project, 'node_modules'));
  });
  afterAll(async () => {
    await api.close();
    rmSync(project, { recursive: true, force: true });
  });

  it(
    'is generated, compiles in strict mode, and works; incorrect calls do not compile',
    async () => {
      const page = codeBlocks(readFileSync('docs/clients.md', 'utf8'));
      const [command] = page.find(({ language }) => language === 'sh')!.text.split(/ +> /);
      const program = page.find(({ text }) => text.startsWith('// src/client.ts'))!.text;

      const types = await run('sh', ['-euc', `${command} -- "$0"`, api.url]);
      writeFileSync(join(project, 'src/keyslot.d.ts'), types.stdout);
      writeFileSync(join(project, 'src/client.ts'), program.replace(NPM_START, api.url));
      writeFileSync(join(project, 'src/mistakes.ts'), MISTAKES);
      writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
      writeFileSync(
        join(project, 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: {
            target: 'ES2023',
            module: 'nodenext',
            lib: ['ES2023', 'DOM'],
            types: [],
            strict: true,
            skipLibCheck: true,
            rootDir: 'src',
            outDir: 'dist',
          },
          include: ['src'],
        }),
      );
      await compile();

      const { stdout } = await run(process.execPath, [join(project, 'dist/client.js')]);
      expect(stdout.split('\n')).toEqual([
        'Hello, grace. All is well.',
        'Refresh the session, or log in again.',
        '',
      ]);
    },
    TEST_TIMEOUT_MS,
  );

  it('is not generated without an instance, and the command reports why', async () => {
    const failure = run('npm', ['run', '--silent', 'client', '--', 'http://127.0.0.1:9']);

    await expect(failure).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^The API description of http:\/\/127\.0\.0\.1:9 could not/),
    });
  });

  const compile = async (): Promise<void> => {
    const said = await run(process.execPath, [resolve('node_modules/typescript/bin/tsc')], {
      cwd: project,
    }).catch((error: { stdout: string }) => error);
    expect(said.stdout).toBe('');
  };
});
