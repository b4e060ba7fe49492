import {
  ensureChromium,
  ensureNginx,
  ensureRedisServer,
  ensureSpin,
  ensureWrk,
} from './prerequisites.js';

/** What tests need beside Node, by the paths of their files. test/packages compares it with what they import. */
const NEEDS = {
  redis: { files: /^test\//, ensure: ensureRedisServer },
  chromium: {
    files: /^test\/e2e\/(?:swagger-ui|path-prefix)\./,
    ensure: () => (process.env.CHROMIUM = ensureChromium()),
  },
  nginx: {
    files: /^test\/docker\/(?:production|redis-restart)\./,
    ensure: () => (process.env.NGINX = ensureNginx()),
  },
  spin: { files: /^test\/model\//, ensure: ensureSpin },
  wrk: { files: /^test\/bench\//, ensure: ensureWrk },
};

/** @param files paths from the root of the project @returns names of what these tests need */
export function needsOf(files) {
  return Object.keys(NEEDS).filter((need) => files.some((file) => NEEDS[need].files.test(file)));
}

/** Installs what these tests need and the machine lacks. */
export function ensureFor(files) {
  needsOf(files).forEach((need) => NEEDS[need].ensure());
}
