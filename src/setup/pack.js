// Before and after `npm pack`: `node src/setup/pack.js prepare`, later `restore`. In the tarball, packages that the importing
// application brings along are optional, so that a service with the guard alone does not get them. Here they are required,
// because npm does not install optional peers of the project itself.
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = 'package.json';

if (process.argv[2] === 'prepare') {
  const { bundleForServices } = await import('./bundle.js');
  await bundleForServices();
}
const manifest = JSON.parse(readFileSync(FILE, 'utf8'));
delete manifest.peerDependenciesMeta;
const optional = Object.fromEntries(
  Object.keys(manifest.peerDependencies).map((name) => [name, { optional: true }]),
);
const packed = process.argv[2] === 'prepare' ? { peerDependenciesMeta: optional } : {};
writeFileSync(FILE, `${JSON.stringify({ ...manifest, ...packed }, null, 2)}\n`);
