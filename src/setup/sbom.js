// Prints the bill of materials of what ships, as CycloneDX. npm can leave development out by itself, but then it leaves out
// what others have as a peer as well (npm 10 and 11): so it is asked for everything.
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
      // Also what development shares with an optional part of a package, which nobody installs: a compiler, Express.
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
