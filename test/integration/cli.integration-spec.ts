import { asOperator, runCommand, type CommandResult } from '../support/command.js';
import type { Tokens } from '../support/http-client.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

describe('the operator command line', () => {
  let api: TestApp;
  let tokens: Tokens;
  beforeAll(async () => {
    api = await startTestApp();
    ({ tokens } = await api.newUser());
  });
  afterAll(async () => api.close());

  /** With the settings that ending every session needs. */
  const run = async (...args: string[]): Promise<CommandResult> =>
    runCommand(args, { variables: asOperator(api.keyPrefix) });
  const expectNothingDone = async (): Promise<void> => {
    expect((await api.ownUser(tokens.access_token)).status).toBe(200);
  };

  it.each([
    ['--help'],
    ['end-all-sessions', '--help'],
    ['cluster', '-h'],
    ['redis-acl', '--help'],
    ['doctor', '--help'],
    ['keys', '--help'],
    ['keys', 'rotate', '-h'],
    ['users', '--help'],
    ['mail', '--help'],
  ])('shows its usage and changes nothing: %s %s', async (...args) => {
    const { status, stdout, stderr } = await run(...args);

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      ['doctor', 'keys', 'mail', 'users'].includes(args[0])
        ? /^Usage: [^]*Exit code/
        : /^Usage: [^]*end-all-sessions/,
    );
    await expectNothingDone();
  });

  it.each([
    ["Unknown option '--dry-run'", 'end-all-sessions', '--dry-run'],
    ["Unexpected argument 'ada'", 'end-all-sessions', 'ada'],
    ["Unknown option '--port'", 'cluster', '--port', '8000'],
    ["There is no command 'constructor'", 'constructor'],
    ["'keys' is incomplete, or has arguments that do not fit", 'keys'],
    ["'keys withdraw' is incomplete, or has arguments that do not fit", 'keys', 'withdraw'],
    [
      "'keys withdraw a b' is incomplete, or has arguments that do not fit",
      'keys',
      'withdraw',
      'a',
      'b',
    ],
    ["'keys list --now' is incomplete, or has arguments that do not fit", 'keys', 'list', '--now'],
    ["'users' is incomplete, or has arguments that do not fit", 'users'],
    [
      "'users reindex ada' is incomplete, or has arguments that do not fit",
      'users',
      'reindex',
      'ada',
    ],
    ["'mail' is incomplete, or has arguments that do not fit", 'mail'],
    ["Unknown option '--force'", 'keys', 'rotate', '--force'],
  ])('refuses unknown arguments and changes nothing: %s', async (message, ...args) => {
    const { status, stdout, stderr } = await run(...args);

    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^[^\n]+\.\n\nUsage: /);
    expect(stderr.startsWith(message)).toBe(true);
    await expectNothingDone();
  });
});
