import { Ajv } from 'ajv';
import { validate } from 'dockerfile-utils';
import { getMetadataStorage } from 'class-validator';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

import { parseDuration } from '../../src/config/duration.js';
import { Environment, SECRET_SETTINGS } from '../../src/config/setting-definitions.js';
import { SHUTDOWN_TIMEOUT_MS } from '../../src/bootstrap/shutdown.js';
import { EXPECTED_SETTINGS } from '../../src/cli/doctor/node-checks.js';

const DOCKER = 'docker';
const CHART = join(DOCKER, 'helm/keyslot');
const COMPOSE_FILES = ['development', 'production', 'services'].map(
  (name) => `docker/compose.${name}.yaml`,
);
const DOCKERFILES = ['Dockerfile', 'services/orders/Dockerfile'];

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');
const readYaml = <T>(...path: string[]): T => parse(read(...path), { merge: true }) as T;
const secondsOf = (duration: string): number => Number(/^(\d+)s$/.exec(duration)?.[1]);

interface Service {
  readonly image?: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly privileged?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly pids_limit?: number;
  readonly ports?: readonly string[];
  readonly stop_grace_period?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly networks?: Readonly<Record<string, { readonly ipv4_address?: string } | null>>;
}
interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
}

/** All settings: each has a rule. */
const SETTINGS = new Set(
  getMetadataStorage()
    .getTargetValidationMetadatas(Environment, '', false, false)
    .map(({ propertyName }) => propertyName),
);

/** All Redis settings, in the form of a configuration file: secrets are read from files. */
const REDIS_SETTINGS = [...SETTINGS]
  .filter((name) => name.startsWith('REDIS_'))
  .map((name) => (SECRET_SETTINGS.some((secret) => secret === name) ? `${name}_FILE` : name));

/** Whether the environment variable is a setting. */
const isSetting = (name: string): boolean =>
  SECRET_SETTINGS.some((secret) => name === `${secret}_FILE`) || SETTINGS.has(name);

describe('docker/Dockerfile', () => {
  const stages = read(DOCKER, 'Dockerfile')
    .split(/^FROM /m)
    .slice(1);
  const production = stages.at(-1)!;

  it.each(DOCKERFILES)('passes the linter: %s', (file) => {
    expect(validate(read(DOCKER, file))).toEqual([]);
  });

  it('runs the application without root and without a shell, from a build without install scripts (106, 108)', () => {
    expect(stages.find((stage) => stage.includes('AS build'))).toContain('npm ci --ignore-scripts');
    expect(production).toMatch(/^gcr\.io\/distroless\/\S+:nonroot AS production$/m);
    expect(production).not.toMatch(/^RUN /m);
    expect(production).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
    // As a list: a string would add a shell between the signal and the process.
    expect(production.match(/^ *(?:CMD|ENTRYPOINT) .*$/gm)).toHaveLength(2);
    for (const [, form] of production.matchAll(/^ *(?:CMD|ENTRYPOINT) (.)/gm)) {
      expect(form).toBe('[');
    }
  });

  it('sets only settings, and no secrets', () => {
    const set = [...production.matchAll(/^(?:ENV| {2})\s*([A-Z_]+)=/gm)].map(([, name]) => name!);

    expect(set).toContain('NODE_ENV');
    expect(set.filter((name) => !isSetting(name))).toEqual([]);
    expect(set.filter((name) => SECRET_SETTINGS.some((secret) => secret === name))).toEqual([]);
  });

  it('copies only what it names: no tests, secrets or history (27, 108)', () => {
    const [first, ...rest] = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    const kept = rest.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    const copied = DOCKERFILES.flatMap((file) =>
      [...read(DOCKER, file).matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) =>
        files!.split(' '),
      ),
    );

    expect(first).toBe('*');
    expect(kept.sort()).toEqual([...new Set(copied)].sort());
    expect(kept.filter((file) => !existsSync(file))).toEqual([]);
    expect(rest).toContain('**/*.spec.ts');
  });
});

describe('the compose files', () => {
  it('pass the linter against the specification', () => {
    const { status, stdout } = spawnSync(
      process.execPath,
      // Warnings are about style.
      ['node_modules/dclint/bin/dclint.cjs', '--quiet', ...COMPOSE_FILES],
      { encoding: 'utf8' },
    );

    expect({ status, said: stdout.trim() }).toEqual({ status: 0, said: '' });
  });
});

describe('docker/compose.production.yaml', () => {
  const { services, networks, volumes, secrets, configs } = readYaml<ComposeFile>(
    DOCKER,
    'compose.production.yaml',
  );
  const all = Object.entries(services);
  const environmentOf = (service: string, name: string): string =>
    services[service]!.environment![name]!;

  it.each(all)('gives %s only the necessary permissions (108)', (_, service) => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      mem_limit: expect.stringMatching(/^\d+m$/),
      pids_limit: expect.any(Number),
    });
    expect(service.privileged).toBeUndefined();
    expect(service.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  it('publishes only HTTPS', () => {
    const open = all.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port]));

    expect(open).toEqual([['nginx', '0.0.0.0:${HTTPS_PORT:-443}:8443']]);
  });

  it('stops an instance only after the drain timeout', () => {
    for (const name of ['keyslot-1', 'keyslot-2']) {
      const grace = secondsOf(services[name]!.stop_grace_period!);
      expect(grace * 1000).toBeGreaterThan(SHUTDOWN_TIMEOUT_MS);
    }
  });

  it('sets only settings, and reads secrets from files (93)', () => {
    const set = Object.keys(services['keyslot-1']!.environment!);

    expect(set.filter((name) => !isSetting(name))).toEqual([]);
    expect(set).toEqual(
      expect.arrayContaining(['REDIS_PASSWORD_FILE', 'KEY_ENCRYPTION_SECRET_FILE']),
    );
    expect(set.filter((name) => SECRET_SETTINGS.some((secret) => secret === name))).toEqual([]);
  });

  it('contains every Redis setting', () => {
    const set = Object.keys(services['keyslot-1']!.environment!);

    expect(REDIS_SETTINGS.length).toBeGreaterThan(8);
    expect(set).toEqual(expect.arrayContaining(REDIS_SETTINGS));
  });

  it.each(['SIGNING_KEY_LIFETIME', 'AUDIT_RETENTION'] as const)(
    'offers %s, with the default of an instance (23)',
    (name) => {
      const offered = environmentOf('keyslot-1', name);
      const [, standard = ''] = new RegExp(`^\\$\\{${name}:-(\\w+)\\}$`).exec(offered) ?? [];

      expect(parseDuration(standard)).toBe(new Environment()[name]);
    },
  );

  it('disables the warning about a reachable management port, because only internal networks reach it', () => {
    for (const name of ['keyslot-1', 'keyslot-2']) {
      const service = services[name]!;
      expect(service.environment).toMatchObject({ ALLOW_REMOTE_MANAGEMENT: 'true' });
      expect(service.ports).toBeUndefined();
      const outer = Object.keys(service.networks!).filter(
        (network) => !networks[network]!.internal,
      );
      expect(outer).toEqual([]);
    }
  });

  it('has seven Redis nodes, and uses all of them: the seventh is the spare replica', () => {
    const nodes = all.filter(([name]) => /^redis-\d+$/.test(name));
    const names = nodes.map(([name]) => name);
    const addresses = nodes.map(([, service]) => service.networks!['back']!.ipv4_address!);
    const { environment, depends_on: conditions } = services['redis-cluster']!;

    expect(new Set(addresses).size).toBe(7);
    expect(environment!['NODES']).toBe(addresses.map((address) => `${address}:6379`).join(' '));
    expect(conditions).toEqual(
      Object.fromEntries(names.map((name) => [name, { condition: 'service_healthy' }])),
    );
    expect(nodes.map(([, service]) => service.volumes)).toEqual(
      names.map((name) => [`${name}:/data`]),
    );
    expect(Object.keys(volumes)).toEqual(names);
    // The certificate of the nodes: an instance connects only to addresses that it contains.
    expect(read(DOCKER, 'make-secrets.sh')).toContain(`\${ADDRESSES:-${addresses.join(' ')}}`);
    for (const node of environmentOf('keyslot-1', 'REDIS_NODES').split(',')) {
      expect(environment!['NODES']!.split(' ')).toContain(node);
    }
  });

  it('refers to existing files, and to secrets that are excluded from commits', () => {
    for (const { file } of Object.values(configs)) {
      expect([file, existsSync(join(DOCKER, file))]).toEqual([file, true]);
    }
    for (const { file } of Object.values(secrets)) {
      expect(file).toMatch(/^secrets\//);
    }
    expect(read('.gitignore')).toContain('docker/secrets/');
    const used = all.flatMap(([, service]) => service.secrets ?? []);
    expect([...new Set(used)].sort()).toEqual(Object.keys(secrets).sort());
  });
});

describe('docker/compose.services.yaml', () => {
  const { services, secrets, configs } = readYaml<ComposeFile>(DOCKER, 'compose.services.yaml');
  const production = readYaml<ComposeFile>(DOCKER, 'compose.production.yaml');
  const added = Object.entries(services).filter(([name]) => !(name in production.services));

  it('adds two services with only the necessary permissions, and publishes nothing (108)', () => {
    expect(added.map(([name]) => name)).toEqual(['orders', 'reports']);
    for (const [, service] of added) {
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        mem_limit: expect.stringMatching(/^\d+m$/),
        pids_limit: expect.any(Number),
        user: expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/),
      });
      expect(service.ports).toBeUndefined();
    }
    // The service without a guard cannot reach Redis.
    expect(Object.keys(services['reports']!.networks!)).toEqual(['front']);
  });

  it('uses the addresses that nginx asks, and files and secrets that exist', () => {
    const proxy = read(DOCKER, 'nginx/services.conf');

    for (const [, service] of added) {
      expect(proxy).toContain(`http://${service.networks!['front']!.ipv4_address!}:8080;`);
    }
    for (const { file } of Object.values(configs)) {
      expect([file, existsSync(join(DOCKER, file))]).toEqual([file, true]);
    }
    const known = { ...production.secrets, ...secrets };
    const used = added.flatMap(([, service]) => service.secrets ?? []);
    expect(used.filter((name) => !(name in known))).toEqual([]);
    expect(services['keyslot-1']!.environment).toEqual({ JWT_AUDIENCE: 'keyslot,orders' });
    expect(services['keyslot-2']).toEqual(services['keyslot-1']);
  });
});

describe('docker/redis/redis.conf', () => {
  const settings = new Map(
    read(DOCKER, 'redis/redis.conf')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.split(' ')[0]!, line.split(' ').slice(1).join(' ')] as const),
  );

  it('has the settings that the doctor expects', () => {
    expect(EXPECTED_SETTINGS.length).toBeGreaterThan(4);
    for (const [name, value] of EXPECTED_SETTINGS) {
      expect([name, settings.get(name)]).toEqual([name, value]);
    }
    // Docker restarts a node at once.
    expect(settings.get('appendfsync')).toBe('always');
  });

  it('lets a master without a replica accept writes, and no stale replica be promoted', () => {
    const names = [...settings.keys()];

    expect(names.filter((name) => name.startsWith('min-replicas'))).toEqual([]);
    // The default of 10 is what the documentation describes.
    expect(names).not.toContain('cluster-replica-validity-factor');
  });
});

describe('docker/helm/keyslot', () => {
  type Values = Record<string, unknown> & {
    readonly preStopSeconds: number;
    readonly terminationGracePeriodSeconds: number;
    readonly signingKeyLifetime: string;
    readonly auditRetention: string;
  };
  const values = readYaml<Values>(CHART, 'values.yaml');
  const isValid = new Ajv({ allErrors: true, strict: false }).compile(
    JSON.parse(read(CHART, 'values.schema.json')) as object,
  );
  const templates = readdirSync(join(CHART, 'templates')).map((name): [string, string] => [
    name,
    read(CHART, 'templates', name),
  ]);
  const deployment = read(CHART, 'templates/deployment.yaml');
  const needed = {
    image: { repository: 'registry.example.com/keyslot', tag: '0.1.0' },
    issuer: 'https://api.example.com',
    redis: { nodes: ['10.0.0.1:6379'] },
    secrets: { name: 'keyslot' },
    trustedProxies: ['10.1.0.0/16'],
  };
  const mistakesOf = (more: object): string[] => {
    isValid({ ...values, ...needed, ...more });
    return (isValid.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };

  it('renders with its defaults and the few required values', () => {
    expect(mistakesOf({})).toEqual([]);
    // The values with which the workflow checks and renders the chart.
    expect(mistakesOf(readYaml<object>(CHART, 'ci/values.yaml'))).toEqual([]);
    expect(isValid(values)).toBe(false);
  });

  it('accepts every address format that Keyslot accepts', () => {
    const redis = {
      nodes: ['redis-0.data.svc:6379', '10.0.0.1:6379', '[2001:db8::1]:6379'],
      natMap: ['10.0.0.1:6379=redis-0.example.com:7001', '[fd00::1]:6379=203.0.113.5:7002'],
      tls: { enabled: true, clientSecretName: 'redis-client' },
    };

    expect(mistakesOf({ redis })).toEqual([]);
  });

  it.each<[string, object]>([
    ['an image without a version', { image: { repository: 'keyslot' } }],
    ['an issuer by plain HTTP', { issuer: 'http://api.example.com' }],
    ['no node of Redis', { redis: { nodes: [] } }],
    ['a node of Redis in IPv6 without brackets', { redis: { nodes: ['::1:6379'] } }],
    ['half of a map of addresses', { redis: { nodes: ['a:1'], natMap: ['10.0.0.1:6379'] } }],
    [
      'a client certificate for Redis without TLS',
      { redis: { nodes: ['a:1'], tls: { enabled: false, clientSecretName: 'redis-client' } } },
    ],
    ['a word for the need of a replica', { redis: { nodes: ['a:1'], requireReplica: 'always' } }],
    ['a value of an earlier version', { redis: { nodes: ['a:1'], confirmingReplicas: 1 } }],
    ['no secret', { secrets: { name: '' } }],
    ['neither a proxy nor TLS', { trustedProxies: [] }],
    ['an origin by plain HTTP', { corsOrigins: ['http://app.example.com'] }],
    ['any origin', { corsOrigins: ['*'] }],
    ['a lifetime of signing keys without a unit', { signingKeyLifetime: 90 }],
    ['a secret as a setting', { settings: { REDIS_PASSWORD: 'x' } }],
    ['a value that is misspelt', { replica: 3 }],
    ['an ingress without TLS', { ingress: { enabled: true, host: 'api.example.com' } }],
    ['an administrator without a name', { administrator: true }],
    ['less time to stop than it may take', { terminationGracePeriodSeconds: 20 }],
  ])('refuses %s', (_, mistake) => {
    expect(mistakesOf(mistake)).not.toEqual([]);
  });

  it('gives a pod more time to stop than the preStop pause and draining need', () => {
    const left = values.terminationGracePeriodSeconds - values.preStopSeconds;

    expect(left * 1000).toBeGreaterThan(SHUTDOWN_TIMEOUT_MS);
  });

  it('sets only settings', () => {
    const set = [...deployment.matchAll(/^ +- (?:\{ )?name: ([A-Z_]+)/gm)].map(([, name]) => name!);

    expect(set.length).toBeGreaterThan(10);
    expect(set.filter((name) => !isSetting(name))).toEqual([]);
  });

  it('contains every Redis setting', () => {
    const set = [...deployment.matchAll(/name: ([A-Z_]+)/g)].map(([, name]) => name!);

    expect(set).toEqual(expect.arrayContaining(REDIS_SETTINGS));
  });

  it.each([
    ['SIGNING_KEY_LIFETIME', 'signingKeyLifetime'],
    ['AUDIT_RETENTION', 'auditRetention'],
  ] as const)('offers %s, with the default of an instance (23)', (name, value) => {
    const line = new RegExp(
      `- name: ${name}\\n +value: \\{\\{ \\.Values\\.${value} \\| quote \\}\\}`,
    );
    expect(deployment).toMatch(line);
    expect(parseDuration(values[value])).toBe(new Environment()[name]);
  });

  it('disables the warning about a reachable management port if its network policy closes the port', () => {
    expect(deployment.match(/.*\n.*\n.*ALLOW_REMOTE_MANAGEMENT.*\n.*/g)).toEqual([
      expect.stringMatching(/^ *\{\{- if \.Values\.networkPolicy\.enabled \}\}[^]*\{\{- end \}\}$/),
    ]);
  });

  it('uses only defined values', () => {
    for (const [name, template] of templates) {
      for (const [, path] of template.matchAll(/\.Values\.([\w.]+)/g)) {
        const value = path!
          .split('.')
          .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], values);
        expect([name, path, value === undefined]).toEqual([name, path, false]);
      }
    }
  });
});
