import {
  ensureChromium,
  ensureNginx,
  ensureRedisServer,
  ensureSpin,
  ensureWrk,
} from './prerequisites.js';

/** What tests need beside Node and redis-server, by the paths of their files. */
const NEEDS = [
  {
    files: /^test\/e2e\/(?:swagger-ui|path-prefix)\./,
    ensure: () => (process.env.CHROMIUM = ensureChromium()),
  },
  {
    files: /^test\/docker\/production\./,
    ensure: () => (process.env.NGINX = ensureNginx()),
  },
  { files: /^test\/model\//, ensure: ensureSpin },
  { files: /^test\/bench\/(?:load|warm-read|wrk)\./, ensure: ensureWrk },
  { files: /^test\//, ensure: ensureRedisServer },
];

/** Installs what these tests need and the machine lacks. @param files paths from the root of the project */
export function ensureFor(files) {
  for (const { files: pattern, ensure } of NEEDS) {
    if (files.some((file) => pattern.test(file))) {
      ensure();
    }
  }
}
