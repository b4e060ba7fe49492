import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { codeBlocks } from './markdown.js';

const PACKED = ['LICENSE', 'README.md', 'README.zh-CN.md', 'dist', 'package.json', 'src/setup'];
const TYPESCRIPT = resolve('node_modules/typescript/bin/tsc');

/**
 * Packs the build as `npm pack` does, in a copy of the project: packing changes files that other tests read.
 *
 * @returns the path of the tarball
 */
export function packTarball(folder: string): string {
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
  expect(build).toBe('nest build');
  const [program, ...args] = prepare.split(' ');
  execFileSync(program!, args, { cwd: copy });
  const options = ['--ignore-scripts', '--json', '--pack-destination', folder];
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', ...options], { cwd: copy, encoding: 'utf8' }),
  ) as [{ filename: string }];
  return join(folder, filename);
}

/** A project of another team, in a folder of its own. */
export class ServiceProject {
  readonly folder: string;

  /** @param packages names with version ranges, or paths of tarballs */
  constructor(name: string, type: 'commonjs' | 'module', packages: readonly string[]) {
    this.folder = mkdtempSync(join(tmpdir(), `keyslot-${name}-`));
    this.write('package.json', JSON.stringify({ name, type, private: true }));
    const options = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    run('npm', ['install', '--loglevel=error', ...options, ...packages], this.folder);
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
  compile(options: Record<string, unknown>): void {
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
    run(process.execPath, [TYPESCRIPT, '-p', '.'], this.folder);
  }
}

/** @throws Error with the output of a program that failed */
export function run(program: string, args: readonly string[], cwd: string): void {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(`${program} ${args[0]} failed: ${stdout}${stderr}`);
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
