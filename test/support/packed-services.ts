import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { codeBlocks } from './markdown.js';

const PACKED = ['LICENSE', 'README.md', 'README.zh-CN.md', 'dist', 'package.json', 'src/setup'];
const TYPESCRIPT = resolve('node_modules/typescript/bin/tsc');

/**
 * Packs the build as `npm pack` does, in a copy of the project: packing changes files that other tests read.
 *
 * @returns the path of the tarball
 */
export async function packTarball(folder: string): Promise<string> {
  const copy = join(folder, 'project');
  for (const path of PACKED) {
    cpSync(path, join(copy, path), { recursive: true });
  }
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    scripts: Record<'prepack', string>;
  };
  // The build is there already.
  const [build, prepare = ''] = scripts.prepack.split(' && ');
  expect(build).toBe('npm run build');
  const [program, ...args] = prepare.split(' ');
  await run(program!, args, copy);
  const options = ['--ignore-scripts', '--json', '--pack-destination', folder];
  const [{ filename }] = JSON.parse(await run('npm', ['pack', ...options], copy)) as [
    { filename: string },
  ];
  return join(folder, filename);
}

/** A project of another team, in a folder of its own. */
export class ServiceProject {
  private constructor(readonly folder: string) {}

  /**
   * @param folder is created
   * @param packages names with version ranges, or paths of tarballs
   */
  static async create(
    folder: string,
    type: 'commonjs' | 'module',
    packages: readonly string[],
  ): Promise<ServiceProject> {
    const project = new ServiceProject(folder);
    project.write('package.json', JSON.stringify({ type, private: true }));
    const options = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    await run('npm', ['install', '--loglevel=error', ...options, ...packages], folder);
    return project;
  }

  get packages(): string[] {
    return readdirSync(join(this.folder, 'node_modules'));
  }

  write(file: string, text: string): string {
    const path = join(this.folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** Compiles `src` to `dist`. It also checks the declarations of the packages, unless `skipLibCheck`. */
  async compile(options: Record<string, unknown>): Promise<void> {
    const compilerOptions = {
      target: 'ES2023',
      strict: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      rootDir: 'src',
      outDir: 'dist',
      types: ['node'],
      typeRoots: [resolve('node_modules/@types')],
      ...options,
    };
    this.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['src'] }));
    await run(process.execPath, [TYPESCRIPT, '-p', '.'], this.folder);
  }
}

/** @throws Error with the output of a program that failed */
export async function run(
  program: string,
  args: readonly string[],
  folder: string,
): Promise<string> {
  try {
    return (await promisify(execFile)(program, args, { cwd: folder })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} ${args[0]} failed: ${stdout}${stderr}`, { cause: error });
  }
}

/**
 * A program of docs/services.md.
 *
 * @param text in the program
 */
export function documentedProgram(text: string): string {
  const programs = codeBlocks(readFileSync('docs/services.md', 'utf8')).filter(
    (block) => block.text.includes("from 'keyslot/") && block.text.includes(text),
  );
  expect(programs).toHaveLength(1);
  return programs[0]!.text;
}
