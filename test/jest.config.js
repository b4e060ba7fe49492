import { availableParallelism } from 'node:os';

const rootDir = new URL('..', import.meta.url).pathname;

const shared = {
  rootDir,
  testEnvironment: 'node',
  // Programs of earlier versions have left compiled tests there.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/.cache/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^content-disposition$': '<rootDir>/test/support/content-disposition.cjs',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: {
            legacyDecorator: true,
            decoratorMetadata: true,
            useDefineForClassFields: false,
          },
          target: 'es2022',
        },
        module: { type: 'es6' },
      },
    ],
  },
};

const cluster = {
  ...shared,
  setupFilesAfterEnv: ['<rootDir>/test/support/end-running.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.js',
  globalTeardown: '<rootDir>/test/support/global-teardown.js',
};

/** Tests that need no cluster, or start all that they need: programs under `test`, documents, packages, models. */
const PROGRAMS = [
  '**/test/{bench,chaos,model,packages,timing}/**/*-spec.ts',
  '**/test/docs/documents.*',
  '**/test/docker/files.*',
];
/** Tests of the API and its parts that take long: they wait, or start many instances or clusters of their own. */
const SLOW_API = [
  '**/test/e2e/{account-notices,account-pages,administration-bootstrap,audit,clock,console.pages,email-verification,encodings,factor-notices}.*',
  '**/test/e2e/{load-shedding,login-floods,password-reset}.*',
  '**/test/e2e/{long-lived-connections,openapi-properties,path-prefix,redis-keys,settings}.*',
  '**/test/e2e/{slow-clients*,start,tls,tracing,unicode-names,unread-answers,user-import}.*',
  '**/test/e2e/workers.*',
  '**/test/integration/{cli,doctor,embedded-cluster,key-scan,mail-outbox,mirrored-users}.*',
  '**/test/integration/redis-{acl,cluster,credentials,tls}.*',
];
/** What a warm request costs, and the memory of a session: quick, and the same on every machine. */
const QUICK_COUNTS = ['**/test/counts/{warm-path,instance-memory,redis-memory}.*-spec.ts'];
const except = (globs) => globs.map((glob) => `!${glob}`);

/** `npm test` runs unit and api, `npm run test:slow` the others: src/setup/test.js. @type {import('jest').Config} */
export default {
  rootDir,
  // Each has a core, and shares it with the processes that it starts. It also waits for them.
  maxWorkers: Math.max(2, availableParallelism()),
  // Memory of finished test files stays in use, about 35 MB for each that starts the application, 2 GB in the end (what holds
  // it is not known; nodejs/node#63186 is similar). The exit of such a process takes about as long as Jest waits for it, so
  // Jest starts a new one at this heap size.
  workerIdleMemoryLimit: '800MB',
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/src/**/*.spec.ts'] },
    {
      ...cluster,
      displayName: 'api',
      testMatch: [
        '<rootDir>/test/{contracts,e2e,integration}/**/*-spec.ts',
        ...QUICK_COUNTS,
        ...except(SLOW_API),
      ],
    },
    {
      ...cluster,
      displayName: 'slow',
      testMatch: [
        '<rootDir>/test/{counts,docker,docs,extending,fault,monitoring}/**/*-spec.ts',
        ...SLOW_API,
        ...except([...PROGRAMS, ...QUICK_COUNTS]),
      ],
    },
    { ...shared, displayName: 'programs', testMatch: PROGRAMS },
  ],
  testTimeout: 60_000,
};
