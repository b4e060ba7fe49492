import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

/** Plain JavaScript, because it runs before the compiler is installed. */
const TEST_NEEDS: string = '../../src/setup/test-needs.js';
const CHOSEN_TESTS: string = '../../src/setup/chosen-tests.js';
const JEST = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
const PROJECTS = ['unit', 'api', 'slow', 'programs'];

const filesOf = (project: string): string[] =>
  execFileSync(
    process.execPath,
    [...JEST, '--config', 'test/jest.config.js', '--listTests', '--selectProjects', project],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  )
    .split('\n')
    .filter((line) => line.startsWith('/'))
    .map((line) => relative('.', line));

/** The file and all project files that it imports. */
const withImports = (file: string, found = new Set<string>()): Set<string> => {
  // Some imports are in the source of a program that the test writes.
  if (!found.has(file) && existsSync(file)) {
    found.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, name] of text.matchAll(/ from '(\.[^']+)\.js'/g)) {
      withImports(join(dirname(file), `${name}.ts`), found);
    }
  }
  return found;
};

describe('the tests', () => {
  let needsOf: (files: readonly string[]) => readonly string[];
  beforeAll(async () => {
    ({ needsOf } = (await import(TEST_NEEDS)) as { needsOf: typeof needsOf });
  });

  const specs = ['src', 'test']
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    )
    .filter((file) => /[.-]spec\.ts$/.test(file))
    .sort();

  it('belong to exactly one Jest project each, so that each runs once', () => {
    expect(PROJECTS.flatMap(filesOf).sort()).toEqual(specs);
  });

  it('get the tools that they need: a browser, a proxy, a model checker, a load generator', () => {
    const uses = { chromium: /\bchromium\b/, nginx: /\['NGINX'\]/, spin: /'spin'/, wrk: /'wrk'/ };
    const imported = specs
      .filter((file) => file.startsWith('test/') && !file.startsWith('test/packages/'))
      .map((file) => ({
        file,
        text: [...withImports(file)]
          .filter((name) => name.startsWith('test/'))
          .map((name) => readFileSync(name, 'utf8'))
          .join('\n'),
      }));

    for (const [need, use] of Object.entries(uses)) {
      const users = imported.filter(({ text }) => use.test(text)).map(({ file }) => file);
      expect({ need, users: users.length > 0 }).toEqual({ need, users: true });
      const without = users.filter((file) => !needsOf([file]).includes(need));
      expect({ need, without }).toEqual({ need, without: [] });
    }
  });

  it('that are unit tests need no tools', () => {
    expect(needsOf(specs.filter((file) => file.startsWith('src/')))).toEqual([]);
  });

  describe('that arguments for Jest select', () => {
    let folder: string;
    let chosenFiles: (jestArguments: readonly string[]) => readonly string[];
    beforeAll(async () => {
      ({ chosenFiles } = (await import(CHOSEN_TESTS)) as { chosenFiles: typeof chosenFiles });
      folder = mkdtempSync(join(tmpdir(), 'chosen-tests-'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it.each([
      [['--watch', '-t', 'a logout']],
      [['--json', '--outputFile', 'results.json']],
      [['--outputFile=results.json']],
      [['--output-file', 'results.json', '--maxWorkers', '2']],
    ])('are found with the options %j', (options: readonly string[]) => {
      const path = join(folder, 'results.json');
      const given = options.map((option) => option.replace('results.json', path));

      expect(chosenFiles([...given, 'e2e/logout'])).toEqual(['test/e2e/logout.e2e-spec.ts']);
      expect(existsSync(path)).toBe(false);
    });
  });
});
