import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const DOCUMENT = resolve('docs/operations/backup-and-restore.md');
const COMMAND_TIMEOUT_MS = 120_000;

export interface CommandResult {
  readonly exitCode: number | null;
  /** Both output streams. */
  readonly output: string;
  readonly seconds: number;
}

/** An operator who follows docs/operations/backup-and-restore.md in a terminal. */
export class Operator {
  /** The working directory: it contains only the build, and no `.env`. */
  readonly folder = mkdtempSync(join(tmpdir(), 'keyslot-operator-'));

  constructor() {
    symlinkSync(resolve('dist'), join(this.folder, 'dist'));
  }

  /**
   * Runs commands of the document, unchanged.
   *
   * @param title the comment in the first line of the commands
   * @param variables the complete environment, except for PATH
   */
  async follow(
    title: string,
    variables: Readonly<Record<string, string | undefined>>,
  ): Promise<CommandResult> {
    return new Promise((done, reject) => {
      const begin = performance.now();
      const child = spawn('sh', ['-c', commandsOf(title)], {
        cwd: this.folder,
        env: { PATH: process.env['PATH'], ...variables },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: COMMAND_TIMEOUT_MS,
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => (output += text));
      }
      child.once('error', reject);
      child.once('close', (exitCode) =>
        done({ exitCode, output, seconds: (performance.now() - begin) / 1000 }),
      );
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function commandsOf(title: string): string {
  const blocks = readFileSync(DOCUMENT, 'utf8').split('```sh\n').slice(1);
  const commands = blocks
    .map((block) => block.slice(0, block.indexOf('```')))
    .find((block) => block.startsWith(`# ${title}\n`));
  if (commands === undefined) {
    throw new Error(`the document has no commands "${title}"`);
  }
  return commands;
}
