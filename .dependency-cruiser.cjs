const only = (from, allowed) => ({
  name: `${from.replace('/', '-')}-knows-only`,
  comment: `src/${from} may import: ${allowed.join(', ')}. See docs/architecture.md.`,
  severity: 'error',
  from: { path: `^src/${from}/`, pathNot: '\\.spec\\.ts$' },
  to: { path: '^src/', pathNot: [from, ...allowed].map((name) => `^src/${name}/`) },
});

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
          '^src/(keys|user-slot)/(read|write)/index\\.ts$',
        ],
      },
    },
    only('common', []),
    only('config', ['common']),
    only('logging', ['common']),
    only('redis-cluster', ['common', 'metrics', 'tracing']),
    only('embedded-cluster', ['common', 'redis-cluster']),
    only('metrics', ['common']),
    only('tracing', ['common']),
    only('near-cache', ['common', 'metrics', 'redis-cluster']),
    only('audit', ['common']),
    only('contracts', ['audit', 'common', 'users']),
    only('rate-limit', ['common', 'redis-cluster']),
    only('keys', ['audit', 'common', 'near-cache', 'redis-cluster']),
    only('keys/read', ['common', 'near-cache', 'redis-cluster']),
    only('user-slot', ['common', 'near-cache', 'redis-cluster']),
    {
      name: 'the-read-side-knows-no-write-side',
      comment:
        'A process that only checks tokens loads nothing that changes users, sessions or keys.',
      severity: 'error',
      from: { path: '^src/user-slot/', pathNot: '^src/user-slot/write/' },
      to: { path: '^src/user-slot/write/' },
    },
    only('guard', [
      'common',
      'keys/read',
      'metrics',
      'near-cache',
      'redis-cluster',
      'tracing',
      'user-slot/read',
    ]),
    {
      name: 'the-guard-stands-alone',
      comment:
        'Also by way of other modules, a process that only checks tokens loads none of these.',
      severity: 'error',
      from: { path: '^src/guard/', pathNot: '\\.spec\\.ts$' },
      to: {
        path: [
          '^src/(?!(?:common|guard|keys|metrics|near-cache|redis-cluster|tracing|user-slot)/)',
          '^src/(?:keys|user-slot)/(?:index\\.ts$|write/)',
          'node_modules/argon2',
        ],
        reachable: true,
      },
    },
    only('users', ['audit', 'common', 'metrics', 'rate-limit', 'redis-cluster', 'user-slot']),
    only('sessions', ['audit', 'common', 'near-cache', 'redis-cluster', 'user-slot', 'users']),
    only('auth', [
      'audit',
      'common',
      'guard',
      'keys',
      'rate-limit',
      'sessions',
      'user-slot',
      'users',
    ]),
    only('health', ['common', 'keys', 'metrics', 'near-cache', 'redis-cluster']),
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
