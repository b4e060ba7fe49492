const { readdirSync } = require('node:fs');
const { join } = require('node:path');

/** What each module and each file in `src` may import. A module that is not listed may import nothing. */
const MAY_IMPORT = {
  'main.ts': ['bootstrap'],
  'cli.ts': ['bootstrap', 'cli', 'config', 'embedded-cluster'],
  'app.module.ts': [
    'api-docs',
    'audit',
    'auth',
    'common',
    'config',
    'forward-auth',
    'guard',
    'health',
    'keys',
    'metrics',
    'near-cache',
    'oauth',
    'rate-limit',
    'redis-cluster',
    'roles',
    'service-accounts',
    'sessions',
    'tracing',
    'users',
  ],
  bootstrap: [
    'api-docs',
    'app.module.ts',
    'common',
    'config',
    'embedded-cluster',
    'guard',
    'health',
    'http',
    'keys',
    'logging',
    'metrics',
    'near-cache',
    'redis-cluster',
    'roles',
    'tracing',
    'users',
  ],
  cli: [
    'app.module.ts',
    'audit',
    'common',
    'config',
    'keys',
    'logging',
    'metrics',
    'near-cache',
    'redis-cluster',
    'sessions',
    'users',
  ],
  http: ['common', 'config', 'guard', 'logging', 'metrics', 'redis-cluster', 'tracing', 'users'],
  'api-docs': ['common'],
  'forward-auth': ['common', 'guard'],
  oauth: [
    'audit',
    'auth',
    'common',
    'credentials',
    'guard',
    'keys',
    'rate-limit',
    'redis-cluster',
    'roles/read',
    'service-accounts',
    'sessions',
    'user-slot/read',
  ],
  auth: [
    'audit',
    'common',
    'credentials',
    'guard',
    'keys',
    'rate-limit',
    'roles/read',
    'sessions',
    'users',
  ],
  sessions: ['audit', 'common', 'near-cache', 'redis-cluster', 'user-slot', 'users'],
  users: [
    'audit',
    'common',
    'credentials',
    'rate-limit',
    'redis-cluster',
    'roles/read',
    'user-slot',
  ],
  credentials: ['audit', 'common', 'metrics', 'rate-limit', 'user-slot'],
  guard: [
    'common',
    'keys/read',
    'metrics',
    'near-cache',
    'redis-cluster',
    'roles/read',
    'service-accounts/read',
    'tracing',
    'user-slot/read',
  ],
  'user-slot': ['common', 'near-cache', 'redis-cluster'],
  keys: ['audit', 'common', 'metrics', 'near-cache', 'redis-cluster'],
  'keys/read': ['common', 'near-cache', 'redis-cluster'],
  roles: ['audit', 'common', 'near-cache', 'redis-cluster'],
  'roles/read': ['common', 'near-cache', 'redis-cluster'],
  'service-accounts': ['audit', 'common', 'near-cache', 'redis-cluster', 'roles/read'],
  'service-accounts/read': ['common', 'near-cache', 'redis-cluster'],
  'near-cache': ['common', 'metrics', 'redis-cluster'],
  'rate-limit': ['common', 'redis-cluster'],
  health: ['common', 'keys', 'metrics', 'near-cache', 'redis-cluster'],
  contracts: ['audit', 'common', 'users'],
  'redis-cluster': ['common', 'metrics', 'tracing'],
  'embedded-cluster': ['common', 'redis-cluster'],
  audit: ['common'],
  metrics: ['common'],
  tracing: ['common'],
  config: ['common'],
  logging: [],
  common: [],
  setup: [],
};

const pathOf = (name) =>
  name.endsWith('.ts') ? `^src/${name.replaceAll('.', '\\.')}$` : `^src/${name}/`;

const only = (from) => {
  const allowed = MAY_IMPORT[from] ?? [];
  return {
    name: `${from.replaceAll(/[/.]/g, '-')}-knows-only`,
    comment: `src/${from} may import: ${allowed.join(', ')}. See docs/architecture.md.`,
    severity: 'error',
    from: { path: pathOf(from), pathNot: '\\.spec\\.ts$' },
    to: { path: '^src/', pathNot: [from, ...allowed].map(pathOf) },
  };
};

/** All of `src` except the public API, which re-exports the modules. */
const MODULES = readdirSync(join(__dirname, 'src')).filter((name) => name !== 'index.ts');

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'modules-are-entered-by-their-index',
      comment: 'What index.ts does not export is private to its module.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: {
        path: '^src/([^/]+)/.+',
        pathNot: [
          '^src/$1/',
          '^src/[^/]+/index\\.ts$',
          '^src/common/[^/]+/index\\.ts$',
          '^src/(keys|roles|service-accounts|user-slot)/(read|write)/index\\.ts$',
          '^src/metrics/registry/index\\.ts$',
        ],
      },
    },
    ...MODULES.map(only),
    only('keys/read'),
    only('roles/read'),
    only('service-accounts/read'),
    {
      name: 'the-read-side-knows-no-write-side',
      comment:
        'A process that only checks tokens loads nothing that changes users, sessions, roles or keys.',
      severity: 'error',
      from: { path: '^src/user-slot/', pathNot: '^src/user-slot/write/' },
      to: { path: '^src/user-slot/write/' },
    },
    {
      name: 'the-guard-stands-alone',
      comment:
        'Also by way of other modules, a process that only checks tokens loads none of these.',
      severity: 'error',
      from: { path: '^src/guard/', pathNot: '\\.spec\\.ts$' },
      to: {
        path: [
          '^src/(?!(?:common|guard|keys|metrics|near-cache|redis-cluster|roles|service-accounts|tracing|user-slot)/)',
          '^src/(?:keys|user-slot)/(?:index\\.ts$|write/)',
          '^src/metrics/(?!registry/)',
          '^src/(?:roles|service-accounts)/(?!read/)',
          'node_modules/(?:argon2|@nestjs/(?:config|jwt|swagger))',
        ],
        reachable: true,
      },
    },
    {
      name: 'shared-credentials-know-no-factor',
      comment: 'What all kinds of factors share does not depend on one of them.',
      severity: 'error',
      from: {
        path: '^src/credentials/[^/]+$',
        pathNot: '/(?:index|credential-providers|[^/]+\\.spec)\\.ts$',
      },
      to: { path: '^src/credentials/[^/]+/' },
    },
    {
      name: 'controllers-record-no-events',
      comment:
        'Services record audit events, so that no other caller of a service can forget them.',
      severity: 'error',
      from: { path: '\\.controller\\.ts$' },
      to: { path: '^src/audit/' },
    },
    {
      name: 'the-front-door-is-for-guests',
      comment:
        'src/index.ts is what others import. Inside, a module imports the module that it means.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/index\\.ts$' },
    },
    {
      name: 'the-driver-stays-in-its-module',
      comment: 'ioredis types do not leave the modules that talk to Redis.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(redis-cluster|embedded-cluster)/' },
      to: { path: 'node_modules/ioredis' },
    },
    {
      name: 'no-test-code-in-the-product',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^test/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'default'] },
  },
};
