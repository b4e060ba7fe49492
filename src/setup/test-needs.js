import {
  ensureChromium,
  ensureNginx,
  ensureRedisServer,
  ensureSpin,
  ensureWrk,
} from './prerequisites.js';

/** Programs that tests need besides Node, by the paths of the tests. test/packages compares the list with their imports. */
const NEEDS = {
  redis: { files: /^test\//, ensure: ensureRedisServer },
  chromium: {
    files:
      /^test\/(?:e2e\/(?:account-pages|console|passkeys|swagger-ui|path-prefix)|fault\/console)\./,
    ensure: () => (process.env.CHROMIUM = ensureChromium()),
  },
  nginx: {
    files: /^test\/(?:docker\/(?:production|redis-restart)|docs\/services|e2e\/path-prefix)\./,
    ensure: () => (process.env.NGINX = ensureNginx()),
  },
  spin: { files: /^test\/model\//, ensure: ensureSpin },
  wrk: { files: /^test\/bench\//, ensure: ensureWrk },
};

/** @param files paths relative to the project root @returns names of the programs that these tests need */
export function needsOf(files) {
  return Object.keys(NEEDS).filter((need) => files.some((file) => NEEDS[need].files.test(file)));
}

/** Installs the missing programs that these tests need. */
export function ensureFor(files) {
  needsOf(files).forEach((need) => NEEDS[need].ensure());
}
