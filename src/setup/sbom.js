// Prints the software bill of materials of the production dependencies, as CycloneDX. npm's own option to omit development
// dependencies also omits peer dependencies (npm 10 and 11), so they are filtered here.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { status, stdout, stderr } = spawnSync(
  'npm',
  ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'],
  { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
);
if (status === 0) {
  process.stdout.write(`${JSON.stringify(withoutDevelopment(JSON.parse(stdout)), null, 2)}\n`);
} else {
  process.stderr.write(stderr);
  process.exitCode = 1;
}

function withoutDevelopment(bill) {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const shipped = new Set(
    Object.entries(packages)
      // Also excludes optional peers that only development installs, such as a compiler and Express.
      .filter(
        ([path, { dev, devOptional, optional }]) =>
          path !== '' && !dev && !devOptional && !optional,
      )
      .map(([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`),
  );
  const components = bill.components.filter(({ name, version }) =>
    shipped.has(`${name}@${version}`),
  );
  const refs = new Set(components.map((component) => component['bom-ref']));
  const root = bill.metadata.component['bom-ref'];
  const dependencies = bill.dependencies
    .filter(({ ref }) => ref === root || refs.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((on) => refs.has(on)) }));
  return { ...bill, components, dependencies };
}
