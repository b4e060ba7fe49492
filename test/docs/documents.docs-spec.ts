import { plainToInstance } from 'class-transformer';
import { getMetadataStorage } from 'class-validator';
import { parse } from 'dotenv';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { Environment } from '../../src/config/setting-definitions.js';
import {
  anchorsOf,
  codeBlocks,
  codeSpans,
  linksIn,
  sections,
  tableWith,
} from '../support/markdown.js';

type DocumentedSetting = [name: string, standard: string | undefined];

const READMES = ['README.md', 'README.zh-CN.md'];
const documents = ['.', 'docs', '.github', 'docker']
  .filter((folder) => existsSync(folder))
  .flatMap((folder) =>
    readdirSync(folder, { recursive: folder !== '.', encoding: 'utf8' }).map((name) =>
      join(folder, name),
    ),
  )
  .filter((name) => name.endsWith('.md'));
const read = (file: string): string => readFileSync(file, 'utf8');

describe('the documents', () => {
  it('are found', () => {
    expect(documents).toEqual(
      expect.arrayContaining([...READMES, '.github/CONTRIBUTING.md', 'docs/architecture.md']),
    );
  });

  it.each(documents)('%s has no broken links', (file) => {
    const brokenLinks = linksIn(read(file))
      .filter((link) => !/^(?:https?|mailto):/.test(link))
      .filter((link) => {
        const [path = '', anchor] = decodeURI(link).split('#');
        const target = path === '' ? file : join(dirname(file), path);
        return !existsSync(target) || (anchor && !anchorsOf(read(target)).includes(anchor));
      });

    expect(brokenLinks).toEqual([]);
  });

  it('exist if code, messages or configuration refer to them', () => {
    const files = ['src', 'test', 'docker'].flatMap(filesIn);
    const references = files.flatMap((file) =>
      Array.from(read(file).matchAll(/\bdocs\/[\w/-]+\.md\b/g), ([path]) => ({ file, path })),
    );

    expect(references.length).toBeGreaterThan(20);
    expect(references.filter(({ path }) => !existsSync(path))).toEqual([]);
  });

  it('mention only existing npm scripts', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

    const named = namedIn(documents, /\bnpm (?:run (?:--silent )?([\w:-]+)|(start|test)\b)/g);

    expect(named).toEqual(expect.arrayContaining(['start', 'test', 'start:dev', 'sbom']));
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it('mention only existing operator commands', () => {
    const { stdout } = spawnSync(process.execPath, ['dist/cli.js', 'help'], { encoding: 'utf8' });
    const commands = Array.from(stdout.matchAll(/^ {2}([a-z][a-z-]+) /gm), ([, name]) => name!);

    const named = namedIn(documents, /\b(?:node dist\/cli\.js|npx keyslot) ([a-z][\w-]*)/g);

    expect(named).toEqual(expect.arrayContaining(['redis-acl', 'end-all-sessions']));
    expect(named.filter((name) => !commands.includes(name))).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  it('names the existing file of each behaviour', () => {
    const rows = tableWith('what ends one session', read('docs/architecture.md'));
    const files = rows.flatMap(([, place]) => codeSpans(place!));

    expect(files.length).toBeGreaterThanOrEqual(rows.length);
    expect(files.filter((file) => !existsSync(join('src', file)))).toEqual([]);
  });
});

describe('the README', () => {
  const [english, chinese] = READMES.map(read) as [string, string];

  it('has the same commands, outputs, settings, routes and links in both languages', () => {
    const documented = (markdown: string): unknown => ({
      // Comments in commands are in the language of each README.
      blocks: codeBlocks(markdown).map(({ text }) => text.replace(/ *# .*$/gm, '')),
      routes: tableWith('POST /api/users', markdown).map(([route]) => codeSpans(route!)),
      commands: tableWith('npm start', markdown).map(([command]) => codeSpans(command!)),
      settings: tableWith('REDIS_NODES', markdown).map(([name, standard]) => [
        codeSpans(name!),
        codeSpans(standard!),
      ]),
      sections: sections(markdown).map((text) => linksIn(text).sort()),
    });

    expect(documented(chinese)).toEqual(documented(english));
  });

  it.each(READMES)('%s lists every setting with its default, and no others', (file) => {
    const rows = tableWith('REDIS_NODES', read(file));

    expectDefaults(
      rows.flatMap(([names, standards]) => {
        const texts = standards!.split(/[,、]/).map((text) => /^`([^`]+)`$/.exec(text.trim())?.[1]);
        return codeSpans(names!).map((name, index): DocumentedSetting => [name, texts[index]]);
      }),
    );
  });
});

describe('docs/security.md', () => {
  const page = read('docs/security.md');
  const entries = Array.from(
    page.matchAll(/^### (\d+)\. .*\n([^]*?)(?=^##|(?![^]))/gm),
    ([, number, text = '']) => ({
      number: Number(number),
      status: /\*\*Status\*\*: (.*)\.$/m.exec(text)?.[1],
      tests: linksIn(text).filter((link) => link.endsWith('spec.ts')),
    }),
  );
  const numbers = entries.map(({ number }) => number);

  it('lists every requirement once, in order', () => {
    expect(entries.length).toBeGreaterThan(100);
    expect(numbers).toEqual(entries.map((_, index) => index + 1));
  });

  it('has an entry for every requirement in a test title', () => {
    const named = specs().flatMap((file) =>
      requirementsIn(read(file)).map((number) => ({ file, number })),
    );

    expect(named.length).toBeGreaterThan(200);
    expect(named.filter(({ number }) => !numbers.includes(number))).toEqual([]);
  });

  it('refers only to existing test files, and has one for each fulfilled requirement', () => {
    const tests = entries.flatMap((entry) => entry.tests);
    expect(tests.length).toBeGreaterThan(200);
    expect(tests.filter((file) => !existsSync(join('docs', file)))).toEqual([]);

    const met = entries.filter(({ status }) => status?.startsWith('met'));
    expect(met.filter((entry) => entry.tests.length === 0)).toEqual([]);
  });

  it('counts the requirements of each status', () => {
    const counted = tableWith('met with a deviation', page).map(([status, count]) => [
      status,
      Number(count),
    ]);

    const statuses = [...new Set(entries.map(({ status }) => status))];
    expect(Object.fromEntries(counted)).toEqual(
      Object.fromEntries(
        statuses.map((status) => [status, entries.filter((it) => it.status === status).length]),
      ),
    );
  });

  it('gives a reason for every deviation', () => {
    const explained = tableWith('26', page).map(([number]) => Number(number));

    const deviating = entries.filter(({ status }) => status === 'met with a deviation');
    expect(explained).toEqual(deviating.map(({ number }) => number));
  });
});

describe('.env.example', () => {
  const text = read('.env.example');

  it('changes no setting when it is used unchanged', () => {
    expect(parse(text)).toEqual({});
  });

  it('lists every setting with its default, and no others', () => {
    const settings = parse(text.replace(/^#(?=\w+=)/gm, ''));

    expectDefaults(
      Object.entries(settings).map(([name, text]): DocumentedSetting => [name, text || undefined]),
    );
  });
});

/** Every file with test titles. */
function specs(): string[] {
  return ['src', 'test'].flatMap(filesIn).filter((name) => name.endsWith('spec.ts'));
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The numbers in parentheses in titles of tests and of groups of tests. */
function requirementsIn(source: string): number[] {
  const titles = source.matchAll(/(?:\b(?:describe|it)|\))\(\s*(['"`])((?:\\.|(?!\1).)*)\1,/g);
  return Array.from(titles, ([, , title = '']) => title)
    .flatMap((title) => Array.from(title.matchAll(/(?:^|\s)\((\d+(?:, \d+)*)\)/g)))
    .flatMap(([, numbers = '']) => numbers.split(', ').map(Number));
}

function namedIn(files: readonly string[], pattern: RegExp): string[] {
  const names = files.flatMap((file) =>
    Array.from(read(file).matchAll(pattern), ([, one, other]) => one ?? other!),
  );
  return [...new Set(names)];
}

/** Checks that each setting occurs once, with its default if it has one. */
function expectDefaults(documented: readonly DocumentedSetting[]): void {
  const rules = getMetadataStorage().getTargetValidationMetadatas(Environment, '', false, false);
  const names = [...new Set(rules.map(({ propertyName }) => propertyName))];
  expect(documented.map(([name]) => name).sort()).toEqual(names.sort());

  const defaults = { ...new Environment() } as Record<string, unknown>;
  const understood = documented
    .filter(([, standard]) => standard !== undefined)
    .map(([name, standard]) => {
      const values = plainToInstance(Environment, { [name]: standard });
      return [name, values[name as keyof Environment]];
    });
  expect(Object.fromEntries(understood)).toEqual(defaults);
}
