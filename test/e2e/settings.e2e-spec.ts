import 'reflect-metadata';
import { getMetadataStorage } from 'class-validator';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Environment, SECRET_SETTINGS } from '../../src/config/setting-definitions.js';
import { isShippedPassword } from '../../src/config/secret-strength.js';

/** An invalid value of each setting. All of them are reported together, by name. */
const WRONG: Readonly<Record<string, string>> = {
  HOST: 'no host/3f9a',
  PORT: '70001',
  WORKERS: 'many-3f9a',
  REDIS_NODES: 'nowhere-3f9a',
  REDIS_USERNAME: 'key slot 3f9a',
  REDIS_PASSWORD: 'two\nlines 3f9a',
  REDIS_TLS: 'maybe',
  REDIS_TLS_CA: '/no/such/3f9a',
  REDIS_TLS_CERT: '/no/such/3f9a',
  REDIS_TLS_KEY: '/no/such/3f9a',
  REDIS_NAT_MAP: 'redis-0=3f9a',
  REDIS_KEY_PREFIX: 'a{3f9a}',
  REDIS_REQUIRE_REPLICA: 'always',
  TLS_CERT: '/tmp',
  TLS_KEY: '/no/such/3f9a',
  TRUSTED_PROXIES: '999.3.9.1',
  CORS_ORIGINS: 'https://a.example/3f9a',
  CORS_HEADERS: 'a header 3f9a',
  PUBLIC_URL: 'ftp://3f9a.example',
  MAIL_URL: 'https://3f9a.example',
  MAIL_FROM: 'nobody 3f9a',
  API_DOCS: 'perhaps',
  MANAGEMENT_PORT: '-3',
  MANAGEMENT_HOST: 'a b 3f9a',
  JWT_ISSUER: 'an issuer 3f9a',
  JWT_AUDIENCE: 'keyslot,an audience 3f9a',
  ACCESS_TOKEN_TTL: '999999999d',
  SIGNING_KEY_LIFETIME: '23h',
  AUDIT_RETENTION: '3651d',
  AUDIT_MAX_EVENTS: '9999',
  REFRESH_TOKEN_TTL: '99999999999d',
  SESSION_MAX_AGE: '-1s',
  REFRESH_GRACE: '31s',
  SESSIONS_PER_USER: '1e3',
  NEAR_CACHE_LEASE: '0',
  NEAR_CACHE_ENTRIES: '999999999999999',
  NEAR_CACHE_MEGABYTES: '999999999999999',
  PASSWORD_MIN_LENGTH: '7',
  REGISTRATION: 'sometimes',
  BOOTSTRAP_ADMIN_USERNAME: 'root-3f9a',
  RATE_LIMIT: 'no',
  LOG_LEVEL: 'loud',
  ALLOW_INSECURE_HTTP: 'yes',
  ALLOW_REMOTE_MANAGEMENT: 'yes',
  KEY_ENCRYPTION_SECRET: 'short-3f9a',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'collector-3f9a:4318',
};
/** Settings that separate tests cover, or that are invalid only in combination. */
const TESTED_SEPARATELY = ['NODE_ENV', 'DATA_DIRECTORY', 'BOOTSTRAP_ADMIN_PASSWORD'];
const STACK = /\n\s+at |Error:|node:internal/;
const START_TIMEOUT_MS = 50_000;
const RANDOM = '9b1f0c7ad2e84635b7a1c0de95f3826e';

describe('an invalid setting', () => {
  let folder: string;
  let busy: Server;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keyslot-settings-'));
    busy = createServer();
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    busy.close();
    rmSync(folder, { recursive: true });
  });

  /** Waits until the program exits or prints the expected text. */
  const start = async (
    variables: Readonly<Record<string, string>>,
    expected?: string,
  ): Promise<{ code: number | null; output: string }> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [join(process.cwd(), 'dist/main.js')], {
        cwd: folder,
        env: { PATH: process.env['PATH'], DATA_DIRECTORY: join(folder, 'data'), ...variables },
      });
      const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
      let output = '';
      const read = (data: Buffer): void => {
        output += data.toString();
        if (expected !== undefined && output.includes(expected)) {
          child.kill('SIGKILL');
        }
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('exit', (code) => {
        clearTimeout(timer);
        resolve({ code, output });
      });
    });
  /** An unreachable cluster: with valid settings, the program waits for it. */
  const far = { REDIS_NODES: '127.0.0.1:9', PORT: '0' };
  const production = { ...far, NODE_ENV: 'production', ALLOW_INSECURE_HTTP: 'true' };

  it('has a row in this table, for every setting', () => {
    const settings = getMetadataStorage()
      .getTargetValidationMetadatas(Environment, '', false, false)
      .map(({ propertyName }) => propertyName);
    const known = [...Object.keys(WRONG), ...TESTED_SEPARATELY];

    expect([...new Set(settings)].filter((name) => !known.includes(name))).toEqual([]);
  });

  it.each(['development', 'production'])(
    'is reported with all others in %s: by name, without its value or a stack trace',
    async (mode) => {
      const { code, output } = await start({ ...WRONG, NODE_ENV: mode });

      expect(code).toBe(1);
      for (const name of Object.keys(WRONG)) {
        expect(output).toMatch(new RegExp(`^ +- .*\\b${name}\\b`, 'm'));
      }
      expect(output).not.toMatch(STACK);
      expect(output).not.toContain('3f9a');
    },
  );

  it.each([
    ['NODE_ENV', { NODE_ENV: 'staging' }],
    ['DATA_DIRECTORY', { DATA_DIRECTORY: '/etc/passwd/x' }],
    ['DATA_DIRECTORY', { DATA_DIRECTORY: '/proc/x' }],
    ['BOOTSTRAP_ADMIN_PASSWORD', { BOOTSTRAP_ADMIN_PASSWORD: 'violet engines hum' }],
    ['HOST', { HOST: 'no-such-host.invalid' }],
    ['HOST', { HOST: '192.0.2.1' }],
    ['MANAGEMENT_HOST', { MANAGEMENT_PORT: '0', MANAGEMENT_HOST: 'no-such-host.invalid' }],
    ['MANAGEMENT_HOST', { MANAGEMENT_PORT: '0', MANAGEMENT_HOST: '192.0.2.1' }],
    ['TLS_CERT', { TLS_CERT: 'package.json', TLS_KEY: 'package.json' }],
    ...SECRET_SETTINGS.map((name) => [`${name}_FILE`, { [`${name}_FILE`]: '/tmp' }] as const),
  ] as const)(
    '%s=%j is reported with a message, without a stack trace',
    async (name, variables) => {
      const { code, output } = await start({ ...far, ...variables });

      expect(output).toMatch(new RegExp(`^ +- .*\\b${name}\\b`, 'm'));
      expect(output).not.toMatch(STACK);
      expect(code).toBe(1);
    },
  );

  it('is reported together with errors that occur only when the server listens', async () => {
    const { port } = busy.address() as AddressInfo;
    const { code, output } = await start({
      ...far,
      PORT: String(port),
      MANAGEMENT_PORT: '0',
      MANAGEMENT_HOST: '192.0.2.1',
    });

    expect(output).toMatch(/port is in use[^]*MANAGEMENT_HOST must be/);
    expect(output).not.toMatch(STACK);
    expect(code).toBe(1);
  });

  it.each([
    ['a .env', '.env'],
    ['a generated secret', 'data/key-encryption-secret'],
  ])('in %s that is a folder is reported with a message', async (_, path) => {
    const place = join(folder, path);
    rmSync(join(folder, 'data'), { recursive: true, force: true });
    mkdirSync(place, { recursive: true, mode: 0o700 });

    const { code, output } = await start(far);
    rmSync(place, { recursive: true });

    expect(output).toContain('The settings are invalid');
    expect(output).not.toMatch(STACK);
    expect(code).toBe(1);
  });

  it.each([
    ['one letter', 's'.repeat(40)],
    ['a repeated text', 'abcdefgh12345678'.repeat(2)],
    ['a placeholder', `changeme-${RANDOM}`],
  ])('refuses KEY_ENCRYPTION_SECRET in production when it is %s (26)', async (_, secret) => {
    const { code, output } = await start({ ...production, KEY_ENCRYPTION_SECRET: secret });

    expect(output).toMatch(/^ +- KEY_ENCRYPTION_SECRET must be random/m);
    expect(output).not.toContain(secret);
    expect(code).toBe(1);
  });

  it('refuses the passwords from the documentation for the first administrator in production (26)', async () => {
    const { code, output } = await start({
      ...production,
      KEY_ENCRYPTION_SECRET: RANDOM,
      BOOTSTRAP_ADMIN_USERNAME: 'root',
      BOOTSTRAP_ADMIN_PASSWORD: 'engine weaves algebra',
    });

    expect(output).toMatch(/^ +- BOOTSTRAP_ADMIN_PASSWORD must not be an example password/m);
    expect(code).toBe(1);
  });

  it('is reported for every password that the documentation shows', () => {
    const folders = ['src/users/dto', 'src/auth/dto', 'docs', 'docs/operations', '.'];
    const texts = folders.flatMap((name) =>
      readdirSync(name, { withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.(dto\.ts|md)$|^\.env\.example$/.test(entry.name))
        .map((entry) => readFileSync(join(name, entry.name), 'utf8')),
    );
    const shown = texts.flatMap((text) => [
      ...Array.from(
        text.matchAll(/example: '([^']+)',\s*format: 'password'/g),
        (match) => match[1]!,
      ),
      ...Array.from(text.matchAll(/["']?password["']?: ["']([^"'$]+)["']/gi), (match) => match[1]!),
    ]);

    expect(shown.length).toBeGreaterThan(4);
    expect(shown.filter((password) => !isShippedPassword(password))).toEqual([]);
  });

  it('is distinguished from a setting of an earlier version, which causes a warning', async () => {
    const { output } = await start(
      { ...far, REDIS_CONFIRMING_REPLICAS: '2' },
      'Remove REDIS_CONFIRMING_REPLICAS.',
    );

    expect(output).toMatch(/REDIS_CONFIRMING_REPLICAS has no effect.*REDIS_REQUIRE_REPLICA=true/);
    expect(output).not.toContain('The settings are invalid');
  });

  it('is distinguished from an unusual value, which only causes a warning in production', async () => {
    const secret = join(folder, 'secret');
    writeFileSync(secret, RANDOM, { mode: 0o644 });

    const open = await start(
      { ...production, RATE_LIMIT: 'off', REDIS_PASSWORD_FILE: secret },
      'can read REDIS_PASSWORD_FILE',
    );
    expect(open.output).toMatch(/RATE_LIMIT is off[^]*KEY_ENCRYPTION_SECRET is not set/);
    expect(open.output).not.toContain(RANDOM);
  });
});
