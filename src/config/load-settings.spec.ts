import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadKeySettings, loadOperatorSettings, loadSettings } from './load-settings.js';
import { SettingsError } from './settings.error.js';

describe('the settings', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'keyslot-settings-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const load = (variables: Record<string, string> = {}) =>
    loadSettings({ DATA_DIRECTORY: folder, ...variables }, join(folder, '.env'));
  const mistakesOf = (variables: Record<string, string>): readonly string[] => {
    try {
      load(variables);
      return [];
    } catch (error) {
      return (error as SettingsError).mistakes;
    }
  };

  it('have the documented defaults', () => {
    expect(load()).toMatchObject({
      isProduction: false,
      http: { host: '127.0.0.1', port: 3000, trustedProxies: [], corsOrigins: [] },
      hasApiDocs: true,
      redis: { keyPrefix: 'ks:', requireReplica: false },
      jwt: {
        audience: 'keyslot',
        audiences: ['keyslot'],
        accessTtlSeconds: 900,
        signingKeyLifetimeSeconds: 7_776_000,
      },
      sessions: {
        idleTtlSeconds: 2_592_000,
        maxAgeSeconds: 7_776_000,
        maxPerUser: 100,
        refreshGraceSeconds: 10,
      },
      audit: { retentionSeconds: 7_776_000, maxEventsPerType: 1_000_000 },
      nearCache: { leaseMs: 2000, maxEntries: 100_000, maxBytes: 67_108_864 },
      passwords: { minLength: 15 },
      isRegistrationOpen: true,
      isRateLimited: true,
      logLevel: 'info',
      workers: 1,
    });
    expect(load().passwords.concurrentHashes).toBeUndefined();
    expect(load().redis.nodes).toBeUndefined();
    expect(load().administrator).toBeUndefined();
    expect(load().management).toBeUndefined();
  });

  it('start one worker for each core with WORKERS=auto', () => {
    expect(load({ WORKERS: 'auto' }).workers).toBe(Math.min(64, availableParallelism()));
  });

  it.each(['0', '65', '1.5', '-1', 'all'])('refuse %s workers', (text) => {
    expect(mistakesOf({ WORKERS: text })).toEqual([
      'WORKERS must be auto or a whole number from 1 to 64',
    ]);
  });

  it('let all workers together hash no more passwords at once than there are cores', () => {
    const cores = availableParallelism();
    for (let workers = 2; workers <= cores; workers += 1) {
      const each = load({ WORKERS: String(workers) }).passwords.concurrentHashes!;
      expect(each).toBeGreaterThan(0);
      expect(each * workers).toBeLessThanOrEqual(cores);
    }
    expect(load({ WORKERS: '64' }).passwords.concurrentHashes).toBeGreaterThan(0);
  });

  it('name Keyslot first in JWT_AUDIENCE, and then the services', () => {
    expect(load({ JWT_AUDIENCE: 'ours, orders,urn:x,orders,' }).jwt).toMatchObject({
      audience: 'ours',
      audiences: ['ours', 'orders', 'urn:x'],
    });
  });

  it.each([
    ['90', 90],
    ['90s', 90],
    ['10m', 600],
    ['1h', 3600],
  ])('read %s as %i seconds', (text, seconds) => {
    expect(load({ ACCESS_TOKEN_TTL: text }).jwt.accessTtlSeconds).toBe(seconds);
  });

  it('come from .env and the environment, which wins; an empty value counts as unset', () => {
    writeFileSync(join(folder, '.env'), 'PORT=4000\nHOST=localhost\nLOG_LEVEL=\n');

    expect(load({ PORT: '5000' }).http).toMatchObject({ host: 'localhost', port: 5000 });
    expect(load().logLevel).toBe('info');
  });

  it.each([
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['PORT', '3000x'],
    ['REDIS_NODES', 'localhost'],
    ['REDIS_NODES', 'a:1,,b:2'],
    ['REDIS_NODES', 'a:99999'],
    ['REDIS_TLS_CA', 'package.json'],
    ['REDIS_USERNAME', 'key slot'],
    ['REDIS_REQUIRE_REPLICA', '1'],
    ['REDIS_REQUIRE_REPLICA', 'yes'],
    ['TRUSTED_PROXIES', '999.1.1.1'],
    ['REDIS_KEY_PREFIX', 'a{b}'],
    ['ACCESS_TOKEN_TTL', '61m'],
    ['SIGNING_KEY_LIFETIME', '23h'],
    ['SIGNING_KEY_LIFETIME', '1096d'],
    ['AUDIT_RETENTION', '3651d'],
    ['AUDIT_MAX_EVENTS', '9999'],
    ['ACCESS_TOKEN_TTL', '0'],
    ['REFRESH_GRACE', '31s'],
    ['PASSWORD_MIN_LENGTH', '7'],
    ['SESSIONS_PER_USER', '0'],
    ['NEAR_CACHE_LEASE', '61s'],
    ['NEAR_CACHE_ENTRIES', '0'],
    ['NEAR_CACHE_MEGABYTES', '1.5'],
    ['BOOTSTRAP_ADMIN_USERNAME', 'root'],
    ['REGISTRATION', 'yes'],
    ['RATE_LIMIT', 'true'],
    ['LOG_LEVEL', 'loud'],
    ['REDIS_TLS', '1'],
    ['TLS_CERT', '/no/such/file'],
    ['TRUSTED_PROXIES', 'everybody'],
    ['TRUSTED_PROXIES', '1'],
    ['TRUSTED_PROXIES', 'true'],
    ['TRUSTED_PROXIES', '*'],
    ['TRUSTED_PROXIES', 'loopback'],
    ['TRUSTED_PROXIES', 'proxy.internal'],
    ['TRUSTED_PROXIES', '10.0.0'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', '0.0.0.0/0'],
    ['TRUSTED_PROXIES', '2001:db8::/129'],
    ['REDIS_NODES', '::1:7000'],
    ['REDIS_NODES', '[redis]:7000'],
    ['REDIS_NODES', '[::1]'],
    ['REDIS_NODES', ','],
    ['REDIS_NAT_MAP', '10.0.0.1:6379'],
    ['REDIS_NAT_MAP', '10.0.0.1:6379=203.0.113.5'],
    ['REDIS_NAT_MAP', 'a:1=b:2=c:3'],
    ['REDIS_TLS_CERT', 'package.json'],
    ['KEY_ENCRYPTION_SECRET', 'short'],
    ['NODE_ENV', 'staging'],
    ['API_DOCS', 'yes'],
    ['MANAGEMENT_PORT', '70000'],
    ['MANAGEMENT_PORT', '3000'],
    ['MANAGEMENT_HOST', 'a/b'],
    ['REDIS_PASSWORD_FILE', '/no/such/file'],
    ['REDIS_PASSWORD_FILE', '/dev/null'],
  ])('refuse %s=%s, by name', (name, value) => {
    const mistakes = mistakesOf({ [name]: value });

    expect(mistakes.join('\n')).toContain(name);
    expect(mistakes.join('\n')).not.toContain(` ${value} `);
  });

  // An empty list must not be treated as unset.
  it.each(['package.json', '/dev/null'])('refuse an invalid certificate: %s', (file) => {
    expect(mistakesOf({ TLS_CERT: file, TLS_KEY: file })).toEqual([
      'TLS_CERT and TLS_KEY must be a certificate and its private key, as PEM',
    ]);
  });

  it.each([
    '*',
    'null',
    'app.example.com',
    'https://app.example.com/',
    'https://app.example.com/path',
    'https://App.example.com',
    'https://app.example.com:443',
    'https://*.example.com',
    'https://user@app.example.com',
    'file://app.example.com',
    'https://app.example.com,',
  ])('refuse %s as an origin, because no browser sends it (85)', (origin) => {
    expect(mistakesOf({ CORS_ORIGINS: origin })).toEqual([
      expect.stringMatching(/^CORS_ORIGINS must be origins/),
    ]);
  });

  it.each([
    ['10.0.0.1:6379', [{ host: '10.0.0.1', port: 6379 }]],
    ['[::1]:7000', [{ host: '::1', port: 7000 }]],
    [
      ' redis-0:7000 , [2001:db8::1]:7001 ,',
      [
        { host: 'redis-0', port: 7000 },
        { host: '2001:db8::1', port: 7001 },
      ],
    ],
  ])('accept nodes by address and by name, with spaces and a trailing comma: %s', (text, nodes) => {
    expect(load({ REDIS_NODES: text }).redis.nodes).toEqual(nodes);
  });

  it('map announced node addresses to reachable ones', () => {
    const map = 'redis-0:6379=203.0.113.5:7001, [2001:db8::1]:6379 = [::1]:7002,';

    expect(load({ REDIS_NAT_MAP: map }).redis.natMap).toEqual({
      'redis-0:6379': { host: '203.0.113.5', port: 7001 },
      '2001:db8::1:6379': { host: '::1', port: 7002 },
    });
  });

  it('refuse hop counts as trusted proxies, in production as well', () => {
    const variables = { NODE_ENV: 'production', REDIS_NODES: 'a:1', TRUSTED_PROXIES: '1' };

    expect(mistakesOf(variables)).toEqual([expect.stringContaining('hop counts')]);
  });

  it.each(['10.0.0.1', '10.0.0.0/8', '2001:db8::/32', '::1, 192.168.0.0/16,'])(
    'trust proxies by address and range: %s',
    (text) => {
      expect(load({ TRUSTED_PROXIES: text }).http.trustedProxies).not.toHaveLength(0);
    },
  );

  it.each(['\n', '\r\n'])('read a secret without its line end, from any source: %j', (end) => {
    const secret = 'a secret of at least thirty-two characters';
    writeFileSync(join(folder, 'secret'), secret + end);
    const ofFile = load({ KEY_ENCRYPTION_SECRET_FILE: join(folder, 'secret') });
    const ofEnvironment = load({ KEY_ENCRYPTION_SECRET: secret + end });

    for (const { jwt } of [ofFile, ofEnvironment]) {
      expect(jwt.keyEncryptionSecret.reveal()).toBe(secret);
    }
  });

  it('refuse a secret file of several lines with that reason', () => {
    writeFileSync(join(folder, 'secret'), 'one line\nand another\n');

    expect(mistakesOf({ REDIS_PASSWORD_FILE: join(folder, 'secret') })).toEqual([
      'REDIS_PASSWORD_FILE must contain one line',
    ]);
  });

  it.each([
    ['REDIS_PASSWORD=abc#def', ['REDIS_PASSWORD']],
    ['REDIS_PASSWORD=#def', ['REDIS_PASSWORD']],
    ['export REDIS_PASSWORD=abc #def', ['REDIS_PASSWORD']],
    ['REDIS_PASSWORD="abc#def"', []],
    ["REDIS_PASSWORD='abc#def' # a comment", []],
    ['REDIS_PASSWORD= # a comment', []],
    ['#REDIS_PASSWORD=abc#def', []],
  ])('give a hint when # truncates a value: %s', (line, names) => {
    writeFileSync(join(folder, '.env'), `${line}\n`);
    const { hints } = load();

    expect(hints.map((hint) => hint.split(' ')[0])).toEqual(names);
    expect(hints.join()).not.toContain('abc');
  });

  it('report a value that # truncated together with the mistake that it caused', () => {
    writeFileSync(join(folder, '.env'), `KEY_ENCRYPTION_SECRET=short#${'x'.repeat(40)}\n`);

    expect(() => load()).toThrow(/at least 32 characters[^]*ends at the first #/);
  });

  it.each([
    'capacitor://localhost',
    'ionic://localhost',
    'app://obsidian.md',
    'tauri://localhost',
    'chrome-extension://mhjfbmdgcfjbbpaeojofohoefgiehjai',
    'moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc',
    'http://localhost:5173',
  ])('accept %s as an origin of an app, an extension or a page', (origin) => {
    expect(load({ CORS_ORIGINS: origin }).http.corsOrigins).toEqual([origin]);
  });

  it.each(['*', 'traceparent,', 'trace parent', 'X-A: b', 'X-A,*', '"X-A"'])(
    'refuse %s as headers that pages may send',
    (names) => {
      expect(mistakesOf({ CORS_HEADERS: names })).toEqual([
        'CORS_HEADERS must be header names, separated by commas',
      ]);
    },
  );

  it.each([
    ['https://api.example.com', 'https://api.example.com', ''],
    ['https://api.example.com/', 'https://api.example.com', ''],
    ['https://Example.com:443/keyslot/', 'https://example.com/keyslot', '/keyslot'],
    ['http://localhost:8080/a/b', 'http://localhost:8080/a/b', '/a/b'],
  ])('accept %s as the public URL', (text, publicUrl, publicPath) => {
    expect(load({ PUBLIC_URL: text }).http).toMatchObject({ publicUrl, publicPath });
  });

  it.each([
    'api.example.com',
    '/keyslot',
    '//example.com',
    'ftp://example.com',
    'https://',
    'https://user:secret@example.com',
    'https://example.com/?a=b',
    'https://example.com/?',
    'https://example.com/#a',
    'https://example.com/a b',
    'https://exa mple.com',
  ])('refuse %s as the public URL, because paths cannot be appended to it', (url) => {
    expect(mistakesOf({ PUBLIC_URL: url })).toEqual([expect.stringMatching(/^PUBLIC_URL must be/)]);
  });

  it('read secrets from files, without the line end (93)', () => {
    const files = ['BOOTSTRAP_ADMIN_PASSWORD', 'KEY_ENCRYPTION_SECRET', 'REDIS_PASSWORD'].map(
      (name): [string, string] => {
        writeFileSync(join(folder, name), `the value of ${name}, which is long enough\n`);
        return [`${name}_FILE`, join(folder, name)];
      },
    );

    const variables = { ...Object.fromEntries(files), BOOTSTRAP_ADMIN_USERNAME: 'root' };
    const { administrator, jwt, redis } = load(variables);

    expect(
      [administrator?.password, jwt.keyEncryptionSecret, redis.password].map((one) =>
        one?.reveal(),
      ),
    ).toEqual(files.map(([name]) => `the value of ${name.slice(0, -5)}, which is long enough`));
    expect(jwt.isSecretGenerated).toBe(false);
    expect(loadOperatorSettings(variables, 'no-such-file').redis.password?.reveal()).toMatch(
      /REDIS_PASSWORD/,
    );
  });

  it('refuse a secret that is set both directly and by a file', () => {
    const file = join(folder, 'password');
    writeFileSync(file, 'one');

    expect(mistakesOf({ REDIS_PASSWORD: 'another', REDIS_PASSWORD_FILE: file })).toEqual([
      'REDIS_PASSWORD and REDIS_PASSWORD_FILE must not both be set',
    ]);
  });

  it('refuse an invalid certificate authority for Redis', () => {
    expect(mistakesOf({ REDIS_TLS: 'true', REDIS_TLS_CA: 'package.json' })).toEqual([
      'REDIS_TLS_CA must contain certificates, as PEM',
    ]);
  });

  it('provide the Redis user to operator commands, even if other settings are missing', () => {
    const variables = { NODE_ENV: 'production', DATA_DIRECTORY: '/etc/passwd/x', PORT: 'x' };
    const user = { REDIS_USERNAME: 'someone', REDIS_PASSWORD: 'secret' };

    expect(loadOperatorSettings({ ...variables, ...user }, 'no-such-file').redis).toMatchObject({
      username: 'someone',
      keyPrefix: 'ks:',
    });
    expect(() => loadOperatorSettings({ REDIS_KEY_PREFIX: 'a{b}' }, 'no-such-file')).toThrow(
      'REDIS_KEY_PREFIX must be',
    );
  });

  it('provide what the command for signing keys needs, and generate no secret for it', () => {
    const keysOf = (variables: Record<string, string>) =>
      loadKeySettings({ DATA_DIRECTORY: folder, PORT: 'x', ...variables }, 'no-such-file');

    expect(keysOf({ SIGNING_KEY_LIFETIME: '30d' })).toMatchObject({
      signingKeyLifetimeSeconds: 30 * 86_400,
      nearCache: { leaseMs: 2000 },
      redis: { keyPrefix: 'ks:' },
    });
    expect(keysOf({}).keyEncryptionSecret).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
    const generated = load().jwt.keyEncryptionSecret.reveal();
    expect(keysOf({}).keyEncryptionSecret?.reveal()).toBe(generated);
    const secret = 'a secret from the environment, long enough';
    expect(keysOf({ KEY_ENCRYPTION_SECRET: secret }).keyEncryptionSecret?.reveal()).toBe(secret);
    for (const [name, value] of [
      ['KEY_ENCRYPTION_SECRET', 'short'],
      ['SIGNING_KEY_LIFETIME', '1h'],
      ['NEAR_CACHE_LEASE', '0'],
      ['REDIS_NODES', 'nowhere'],
    ] as const) {
      expect(() => keysOf({ [name]: value })).toThrow(name);
    }
  });

  it('hide the password of the first administrator', () => {
    const { administrator } = load({
      BOOTSTRAP_ADMIN_USERNAME: 'root',
      BOOTSTRAP_ADMIN_PASSWORD: 'a long enough secret',
    });

    expect(administrator?.password.reveal()).toBe('a long enough secret');
    expect(JSON.stringify(administrator)).not.toContain('secret');
  });

  it.each([
    ['below a file', '/etc/passwd/x'],
    ['that is a file', '/etc/passwd'],
    ['that is a device', '/dev/null'],
    ['where nothing can be made', '/proc/x'],
    ['deep below where nothing can be made', '/proc/x/y/z'],
    ['that is there, and where nothing can be made', '/proc/self'],
    ['with a name that is too long', `/tmp/${'x'.repeat(300)}`],
    ['with a NUL', '/tmp/a\0b'],
  ])('report a data folder that is not writable at once: one %s', (_, path) => {
    expect(mistakesOf({ DATA_DIRECTORY: path })).toEqual([
      expect.stringMatching(/^KEY_ENCRYPTION_SECRET .* DATA_DIRECTORY is not writable/),
    ]);
  });

  it('report a data folder that is a circular or broken link at once', () => {
    symlinkSync(join(folder, 'circle'), join(folder, 'circle'));
    symlinkSync('/proc/x', join(folder, 'nowhere'));

    for (const name of ['circle', 'nowhere']) {
      expect(mistakesOf({ DATA_DIRECTORY: join(folder, name) })).toEqual([
        expect.stringContaining('DATA_DIRECTORY is not writable'),
      ]);
    }
  });

  it('create the data folder and its parents, for the owner only', () => {
    load({ DATA_DIRECTORY: join(folder, 'a/b/../c') });

    expect(statSync(join(folder, 'a/c')).mode & 0o777).toBe(0o700);
  });

  it('do not block on a generated secret that is not a regular file', () => {
    spawnSync('mkfifo', ['-m', '600', join(folder, 'key-encryption-secret')]);

    expect(mistakesOf({})).toEqual([expect.stringContaining('not a readable file')]);
  });

  it.each(['1', '2', '0', 'x'])(
    'accept REDIS_CONFIRMING_REPLICAS=%s of earlier versions, and say that it has no effect',
    (count) => {
      const old = { REDIS_CONFIRMING_REPLICAS: count };
      const { warnings, redis } = load(old);

      expect(warnings).toEqual([
        expect.stringMatching(
          /^REDIS_CONFIRMING_REPLICAS has no effect.*could be promoted.*503.*REDIS_REQUIRE_REPLICA=true/,
        ),
      ]);
      expect(redis).toEqual(load().redis);
      expect(load().warnings).toEqual([]);
      const production = {
        NODE_ENV: 'production',
        REDIS_NODES: 'a:1',
        TRUSTED_PROXIES: '10.0.0.1',
      };
      expect(load({ ...production, ...old }).warnings).toEqual([
        ...warnings,
        ...load(production).warnings,
      ]);
    },
  );

  it.each([
    ['true', true],
    ['false', false],
  ])('require a replica for each write: %s', (text, requireReplica) => {
    expect(load({ REDIS_REQUIRE_REPLICA: text }).redis).toMatchObject({ requireReplica });
  });

  it('report all mistakes together', () => {
    expect(mistakesOf({ PORT: 'x', LOG_LEVEL: 'x', REDIS_TLS: 'x' })).toHaveLength(3);
  });

  describe('of OpenTelemetry', () => {
    const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

    it('enable tracing when they name a collector, and pass all variables on as secrets', () => {
      const headers = 'x-api-key=a-key-of-the-collector';
      writeFileSync(join(folder, '.env'), `OTEL_EXPORTER_OTLP_HEADERS=${headers}\n`);

      const { tracing } = load({ ...collector, PORT: '1' });

      expect(Object.keys(tracing.variables!).sort()).toEqual([
        'OTEL_EXPORTER_OTLP_ENDPOINT',
        'OTEL_EXPORTER_OTLP_HEADERS',
      ]);
      expect(tracing.variables!['OTEL_EXPORTER_OTLP_HEADERS']?.reveal()).toBe(headers);
      expect(JSON.stringify(tracing)).not.toContain('a-key-of-the-collector');
    });

    it.each([
      { OTEL_SERVICE_NAME: 'keyslot', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
      { ...collector, OTEL_SDK_DISABLED: 'True' },
      { ...collector, OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    ])('leave tracing disabled with %j, without an error', (variables) => {
      expect(load(variables).tracing).toEqual({});
    });

    it('are refused when no exporter is possible', () => {
      const { OTEL_EXPORTER_OTLP_ENDPOINT: url } = collector;
      const name = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';

      expect(mistakesOf({ [name]: 'collector:4318' })).toEqual([
        `${name} must be the http or https URL of a collector`,
      ]);
      expect(
        mistakesOf({
          [name]: url,
          OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
          OTEL_TRACES_EXPORTER: 'zipkin',
        }),
      ).toEqual([
        'OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf',
        'OTEL_TRACES_EXPORTER must be otlp or none',
      ]);
    });
  });

  describe('in production', () => {
    const production = { NODE_ENV: 'production', REDIS_NODES: 'a:1' };

    it('require a cluster, and either TLS, a proxy or an explicit override', () => {
      expect(mistakesOf({ NODE_ENV: 'production' })).toHaveLength(2);
      expect(mistakesOf(production)).toEqual([expect.stringContaining('TRUSTED_PROXIES')]);
      expect(mistakesOf({ ...production, TRUSTED_PROXIES: '10.0.0.0/8, ::1' })).toEqual([]);
      expect(mistakesOf({ ...production, ALLOW_INSECURE_HTTP: 'true' })).toEqual([]);
    });

    const safe = { ...production, TRUSTED_PROXIES: '10.0.0.1' };

    it('disable the API description unless it is enabled explicitly (88)', () => {
      expect(load(safe).hasApiDocs).toBe(false);
      expect(load({ ...safe, API_DOCS: 'on' }).hasApiDocs).toBe(true);
      expect(load({ API_DOCS: 'off' }).hasApiDocs).toBe(false);
    });

    it.each([
      '0.0.0.0',
      '::',
      '10.0.0.5',
      'fd00::1',
      '::ffff:10.0.0.5',
      '203.0.113.5',
      'host',
      '0',
    ])('warn about a management port that other machines can reach: %s', (host) => {
      const open = { ...safe, MANAGEMENT_PORT: '8081', MANAGEMENT_HOST: host };
      const warned: unknown = expect.stringMatching(
        /^MANAGEMENT_HOST .*ALLOW_REMOTE_MANAGEMENT=true/,
      );

      expect(load(open).warnings).toContainEqual(warned);
      const others = load(safe).warnings;
      expect(load({ ...open, ALLOW_REMOTE_MANAGEMENT: 'true' }).warnings).toEqual(others);
      expect(load({ ...safe, MANAGEMENT_HOST: host }).warnings).toEqual(others);
      expect(load({ ...open, NODE_ENV: 'development' }).warnings).toEqual([]);
    });

    it.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', 'localhost', 'LOCALHOST.'])(
      'do not warn about a management port that only this machine can reach: %s',
      (host) => {
        const closed = { ...safe, MANAGEMENT_PORT: '8081', MANAGEMENT_HOST: host };

        expect(load(closed).warnings).toEqual(load(safe).warnings);
      },
    );

    it('require HTTPS for origins (85)', () => {
      const origins = 'https://app.example.com, http://app.example.com';

      expect(load({ CORS_ORIGINS: origins }).http.corsOrigins).toEqual(origins.split(', '));
      expect(mistakesOf({ ...safe, CORS_ORIGINS: origins })).toEqual([
        'CORS_ORIGINS must not contain http:// in production',
      ]);
    });

    it('require a public URL with HTTPS, unless plain HTTP is allowed explicitly', () => {
      const url = { PUBLIC_URL: 'HTTP://api.example.com' };

      expect(mistakesOf({ ...safe, ...url })).toEqual([
        'PUBLIC_URL must begin with https:// in production (ALLOW_INSECURE_HTTP=true overrides)',
      ]);
      const loud = { ...safe, ...url, ALLOW_INSECURE_HTTP: 'true' };
      expect(load(loud).http.publicUrl).toBe('http://api.example.com');
    });
  });

  describe('the settings of mails', () => {
    const from = { MAIL_FROM: 'Keyslot <no-reply@example.com>' };
    const url = 'smtps://user:p%40ss@mail.example.com';

    it.each([
      'smtps://mail.example.com',
      'smtp://mail.example.com:587/',
      'smtp://[::1]:25?tls=none',
      'smtps://user%40example.com:a%2Fb@10.0.0.1:465',
    ])('accept the server %s', (text) => {
      const { mail } = load({ MAIL_URL: text, ...from });

      expect(mail?.url.reveal()).toBe(text);
      expect(mail?.from).toBe(from.MAIL_FROM);
    });

    it.each([
      'mail.example.com:25',
      'https://mail.example.com',
      'smtps://mail.example.com?tls=none',
      'smtp://mail.example.com?tls=off',
      'smtp://mail.example.com/path',
      'smtp://mail.example.com#x',
      'smtp://',
      'smtp://user:100%@mail.example.com',
    ])('refuse the server %s without printing it', (text) => {
      const mistakes = mistakesOf({ MAIL_URL: text, ...from });

      expect(mistakes).toEqual([expect.stringMatching(/^MAIL_URL must be smtps:/)]);
      expect(mistakes.join()).not.toContain('mail.example.com');
    });

    it.each(['no-reply@example.com', 'A service <no-reply@example.com>', '某服务 <a@example.com>'])(
      'accept the sender %s',
      (sender) => expect(load({ MAIL_URL: url, MAIL_FROM: sender }).mail?.from).toBe(sender),
    );

    it.each([
      'nobody',
      'a@example.com, b@example.com',
      'A <a@example.com>, B <b@example.com>',
      'A <a@example.com>\r\nBcc: b@example.com',
      'A, B <a@example.com>',
      '<>',
    ])('refuse the sender %j', (sender) => {
      expect(mistakesOf({ MAIL_URL: url, MAIL_FROM: sender })).toEqual([
        expect.stringMatching(/^MAIL_FROM must be/),
      ]);
    });

    it('belong together, and may come from a file', () => {
      const together = ['MAIL_URL and MAIL_FROM must be set together'];
      writeFileSync(join(folder, 'mail-url'), `${url}\n`);

      expect(mistakesOf({ MAIL_URL: url })).toEqual(together);
      expect(mistakesOf(from)).toEqual(together);
      expect(load({ MAIL_URL_FILE: join(folder, 'mail-url'), ...from }).mail?.url.reveal()).toBe(
        url,
      );
      expect(load().mail).toBeUndefined();
    });

    it('need the address of links in production, and no password without TLS', () => {
      const safe = {
        NODE_ENV: 'production',
        REDIS_NODES: '10.0.0.1:6379',
        TRUSTED_PROXIES: '10.0.0.2',
        KEY_ENCRYPTION_SECRET: '9b1f0c7ad2e84635b7a1c0de95f3826e',
        ...from,
      };
      const address = { PUBLIC_URL: 'https://api.example.com' };

      expect(mistakesOf({ ...safe, MAIL_URL: url })).toEqual([
        'PUBLIC_URL is required with MAIL_URL in production, for the links in mails',
      ]);
      expect(mistakesOf({ ...safe, ...address, MAIL_URL: 'smtp://u:p@relay?tls=none' })).toEqual([
        'MAIL_URL must not send a password without TLS in production',
      ]);
      expect(
        load({ ...safe, ...address, MAIL_URL: 'smtp://relay:25?tls=none' }).mail,
      ).toBeDefined();
    });
  });

  describe('the key encryption secret', () => {
    it('is generated once, readable by the owner only', () => {
      const first = load().jwt.keyEncryptionSecret.reveal();

      expect(first.length).toBeGreaterThanOrEqual(43);
      expect(load().jwt.keyEncryptionSecret.reveal()).toBe(first);
      expect(statSync(join(folder, 'key-encryption-secret')).mode & 0o777).toBe(0o600);
      expect(readFileSync(join(folder, 'key-encryption-secret'), 'utf8')).toBe(first);
    });

    it('is refused when others can read it (26)', () => {
      load();
      chmodSync(join(folder, 'key-encryption-secret'), 0o644);

      expect(mistakesOf({})).toEqual([expect.stringContaining('chmod 600')]);
    });

    it('is the configured value if it is set', () => {
      const secret = 's'.repeat(32);
      expect(load({ KEY_ENCRYPTION_SECRET: secret }).jwt.keyEncryptionSecret.reveal()).toBe(secret);
    });
  });
});
