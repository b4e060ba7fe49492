import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { lt, minVersion, satisfies } from 'semver';
import { parse } from 'yaml';

interface Package {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
  readonly engines?: { readonly node?: string };
}

/** The first releases without known vulnerabilities that are relevant here. */
const FIRST_FIXED_VERSIONS: Readonly<Record<string, string>> = {
  fastify: '5.12.6',
  '@fastify/middie': '9.3.6',
  jose: '6.2.0',
  'fast-jwt': '6.3.2',
  jws: '4.0.1',
};

/** What clients of others bring, which only a test runs, unchanged: test/docs/service-accounts.e2e-spec.ts. */
const OF_TESTED_CLIENTS = /^node_modules\/express-oauth2-jwt-bearer\/node_modules\//;

const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;
const nameOf = (path: string): string => path.split('node_modules/').at(-1)!;
const npm = (...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync('npm', ['--silent', ...args], { encoding: 'utf8' });
  expect({ status, said: status === 0 ? '' : stderr }).toEqual({ status: 0, said: '' });
  return stdout;
};

describe('the packages', () => {
  const manifest =
    read<
      Record<
        'dependencies' | 'devDependencies' | 'engines' | 'peerDependencies',
        Record<string, string>
      >
    >('package.json');
  const locked = Object.entries(
    read<{ packages: Record<string, Package> }>('package-lock.json').packages,
  ).filter(([path]) => path !== '');
  const shipped = locked.filter(
    ([, { dev, devOptional, optional }]) => !dev && !devOptional && !optional,
  );

  it('(106) all come from the registry, with integrity hashes', () => {
    expect(locked.length).toBeGreaterThan(100);
    for (const [path, { resolved, integrity, link }] of locked) {
      const isFromRegistry =
        resolved === undefined || /^https:\/\/registry\.npmjs\.org\//.test(resolved);
      expect({ path, isFromRegistry, isFixed: integrity?.startsWith('sha512-'), link }).toEqual({
        path,
        isFromRegistry: true,
        isFixed: true,
        link: undefined,
      });
    }
  });

  it.each(Object.entries(FIRST_FIXED_VERSIONS))(
    '(107) include %s in version %s or later, because earlier versions are vulnerable',
    (name, first) => {
      const versions = locked
        .filter(([path]) => nameOf(path) === name && !OF_TESTED_CLIENTS.test(path))
        .map(([, { version = '' }]) => version);

      // A minimum version for a removed package would go unnoticed.
      expect(versions.length).toBeGreaterThan(0);
      expect(versions.filter((version) => lt(version, first))).toEqual([]);
    },
  );

  it('(107) are checked against known vulnerabilities by the workflows, every week and before a merge', () => {
    const { on, jobs } = parse(readFileSync('.github/workflows/ci.yml', 'utf8')) as {
      on: { pull_request: unknown; schedule: { cron: string }[] };
      jobs: Record<
        string,
        { steps: { run?: string; if?: string; 'continue-on-error'?: boolean }[] }
      >;
    };
    const steps = Object.values(jobs).flatMap(({ steps }) => steps);

    expect(steps.filter(({ run }) => run === 'npm audit --omit=dev')).toEqual([
      { name: expect.any(String), run: 'npm audit --omit=dev' },
    ]);
    expect(Object.keys(on)).toContain('pull_request');
    expect(on.schedule).toEqual([{ cron: expect.stringMatching(/^\d+ \d+ \* \* [0-6]$/) }]);
  });

  it('(106) of the GitHub workflows are pinned as well: actions are referenced by commit', () => {
    const workflows = readdirSync('.github/workflows').map((name) => `.github/workflows/${name}`);
    const used = workflows.flatMap((file) => readFileSync(file, 'utf8').match(/\buses: .*/g) ?? []);

    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((action) => !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([]);
  });

  it('(109) for signatures, hashes, encryption and random values are node:crypto and packages for it', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' });
    const sources = files
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
      .map((file) => ({ file, text: readFileSync(`src/${file}`, 'utf8') }));
    const imported = sources.flatMap(({ text }) =>
      Array.from(text.matchAll(/(?: from |\bimport\()'([^.'][^']*)'/g), ([, name]) => name!),
    );
    const isCrypto = /crypt|hash|jwt|jose|argon|sign|random|uuid|nanoid|otp|webauthn/;

    expect([...new Set(imported.filter((name) => isCrypto.test(name)))].sort()).toEqual([
      '@nestjs/jwt',
      '@simplewebauthn/server',
      '@simplewebauthn/server/helpers',
      'argon2',
      'bcrypt',
      'jose',
      'node:crypto',
      'otpauth',
      'passport-jwt',
    ]);
    expect(sources.filter(({ text }) => text.includes('Math.random'))).toEqual([]);
  });

  it('have a documented reason, in docs/dependencies.md', () => {
    const [, ships, shared, builds] = readFileSync('docs/dependencies.md', 'utf8').split(
      /^## .*$/m,
    );
    const namesIn = (text = ''): string[] =>
      Array.from(text.matchAll(/^\| (\S+) +\| (\S.*?) *\|$/gm), ([, name]) => name!).filter(
        (name) => name !== 'package' && !name.startsWith('--'),
      );

    expect(namesIn(ships)).toEqual(Object.keys(manifest.dependencies).sort());
    expect(namesIn(shared)).toEqual(Object.keys(manifest.peerDependencies).sort());
    expect(namesIn(builds)).toEqual(Object.keys(manifest.devDependencies).sort());
  });

  it('for production all run on the oldest Node version in `engines`', () => {
    const oldest = minVersion(manifest.engines['node']!)!.version;

    const tooNew = shipped.filter(
      ([, { engines }]) => engines?.node !== undefined && !satisfies(oldest, engines.node),
    );
    expect(oldest).toBe('20.19.0');
    expect(shipped.filter(([, { engines }]) => engines?.node !== undefined).length).toBeGreaterThan(
      50,
    );
    expect(tooNew.map(([path, { engines }]) => [path, engines])).toEqual([]);
  });

  it('of which an application needs a single copy are peer dependencies, and are shipped', () => {
    const { dependencies, devDependencies, peerDependencies } = manifest;
    const isShared = (name: string): boolean =>
      name.startsWith('@nestjs/') || /^(class-|fastify$|reflect-metadata$|rxjs$)/.test(name);

    expect(Object.keys(dependencies).filter(isShared)).toEqual([]);
    // npm treats a name in both lists as development-only.
    expect(Object.keys(devDependencies).filter((name) => name in peerDependencies)).toEqual([]);
    const paths = shipped.map(([path]) => path);
    expect(paths).toEqual(
      expect.arrayContaining(Object.keys(peerDependencies).map((name) => `node_modules/${name}`)),
    );
  });

  it('(108) for production are listed in the bill of materials, and no others', () => {
    const bill = JSON.parse(npm('run', 'sbom')) as {
      bomFormat: string;
      components: { name: string; version: string }[];
    };

    expect(bill.bomFormat).toBe('CycloneDX');
    const named = bill.components.map(({ name, version }) => `${name}@${version}`);
    expect(named).toEqual(expect.arrayContaining([expect.stringMatching(/^@nestjs\/common@/)]));
    expect(
      named.filter((name) =>
        /^(jest|prettier|eslint|connect-redis|typescript|express|multer|webpack|@swc\/core)@/.test(
          name,
        ),
      ),
    ).toEqual([]);
    const expected = shipped.map(([path, { version }]) => `${nameOf(path)}@${version}`);
    expect([...new Set(named)].sort()).toEqual([...new Set(expected)].sort());
  });

  it('(108) for production are the only ones in the image: no compiler and no development packages', () => {
    const [, options] = /npm prune (.*?) \\$/m.exec(readFileSync('docker/Dockerfile', 'utf8'))!;
    const said = npm('prune', ...options!.split(' '), '--dry-run', '--loglevel=notice');
    const removed = new Set(
      Array.from(
        said.matchAll(/^remove (\S+) (\S+)$/gm),
        ([, name, version]) => `${name}@${version}`,
      ),
    );

    const here = locked
      .filter(([path]) => existsSync(path))
      .map(([path, { version }]) => `${nameOf(path)}@${version}`);
    const ours = new Set(shipped.map(([path, { version }]) => `${nameOf(path)}@${version}`));
    expect(removed.size).toBeGreaterThan(100);
    expect(here.filter((name) => !removed.has(name) && !ours.has(name))).toEqual([]);
    expect(
      [...ours].filter((name) => removed.has(name) && /nestjs|fastify|redis/.test(name)),
    ).toEqual([]);
  });

  it('(108) in the packed tarball do not include development packages', () => {
    const [{ files }] = JSON.parse(npm('pack', '--dry-run', '--ignore-scripts', '--json')) as [
      { files: { path: string }[] },
    ];

    const paths = files.map(({ path }) => path);
    expect(paths).toContain('dist/index.d.ts');
    const others = paths.filter(
      (path) =>
        !/^dist\/(.+\.(c?js|d\.c?ts|lua|json)|console\/page\/.+\.(html|css|svg))$/.test(path),
    );
    expect(others.sort()).toEqual(['LICENSE', 'README.md', 'README.zh-CN.md', 'package.json']);
    expect(paths.filter((path) => path.includes('.spec.'))).toEqual([]);
  });
});
