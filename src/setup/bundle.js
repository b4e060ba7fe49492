// Bundles what services import, after the build: `keyslot/guard` for `require`, and `keyslot/connect`, which needs no Nest.
import nodeResolve from '@rollup/plugin-node-resolve';
import { readdirSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

const OUTPUT = 'dist/bundles';
const GUARD = 'dist/guard/index';
const CONNECT = 'dist/guard/service/index';
const { dependencies, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Included where only `require` is possible, because they are ES modules only in some or all supported versions. */
const ES_MODULES = ['jose', '@nestjs/passport'];
/** Loaded by `import()` when tracing is on, which it never is in a service with the guard alone. */
const TRACING = resolve('dist/tracing/open-telemetry.js');

/** Lua scripts and texts stay where they are, so that each exists once: `import.meta.url` keeps its meaning. */
const originalUrls = {
  name: 'original-urls',
  resolveImportMeta(property, { format, moduleId }) {
    if (property !== 'url') {
      return null;
    }
    const path = JSON.stringify(relative(OUTPUT, moduleId));
    const bundle =
      format === 'cjs' ? "require('node:url').pathToFileURL(__filename)" : 'import.meta.url';
    return `new URL(${path}, ${bundle}).href`;
  },
};

const NEST = ['@nestjs/common', '@nestjs/core'];
const withoutNest = {
  name: 'without-nest',
  resolveId: (id) => (NEST.includes(id) ? resolve('src/setup/without-nest.js') : null),
};

const isFrom = (names, id) => names.some((name) => id === name || id.startsWith(`${name}/`));

function externalExcept(included) {
  const names = Object.keys({ ...dependencies, ...peerDependencies });
  return (id) =>
    id.startsWith('node:') || id === TRACING || (isFrom(names, id) && !isFrom(included, id));
}

async function bundle({ input, file, format, included, replaced = [], plugins = [] }) {
  const build = await rollup({
    input: `${input}.js`,
    external: externalExcept([...included, ...replaced]),
    plugins: [...plugins, nodeResolve({ exportConditions: ['es2015'] }), originalUrls],
    treeshake: { moduleSideEffects: 'no-external' },
    onwarn: fail,
  });
  const banner = licensesOf(included);
  await build.write({ file: `${OUTPUT}/${file}`, format, banner, inlineDynamicImports: true });
  await build.close();
}

/** @param extensions TypeScript takes the module format of a declaration from its name */
async function bundleTypes(input, name, extensions, included) {
  const build = await rollup({
    input: `${input}.d.ts`,
    external: externalExcept(included),
    plugins: [dts({ respectExternal: true })],
    onwarn: fail,
  });
  for (const extension of extensions) {
    await build.write({ file: `${OUTPUT}/${name}.${extension}` });
  }
  await build.close();
}

function licensesOf(names) {
  return names
    .map((name) => {
      const folder = `node_modules/${name}`;
      const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
      const text = readFileSync(`${folder}/${file}`, 'utf8');
      return `/*\nIncludes ${name}:\n\n${text}*/`;
    })
    .join('\n');
}

/** Warnings are errors, except for the helpers of TypeScript (`this && this.__decorate`). */
function fail(warning) {
  if (warning.code !== 'THIS_IS_UNDEFINED') {
    throw new Error(warning.message);
  }
}

export async function bundleForServices() {
  await bundle({ input: GUARD, file: 'guard.cjs', format: 'cjs', included: ES_MODULES });
  for (const [file, format, included] of [
    ['connect.js', 'es', ['rxjs']],
    ['connect.cjs', 'cjs', ['rxjs', 'jose']],
  ]) {
    const nest = { replaced: NEST, plugins: [withoutNest] };
    await bundle({ input: CONNECT, file, format, included, ...nest });
  }
  await bundleTypes(GUARD, 'guard', ['d.cts'], ['jose']);
  await bundleTypes(CONNECT, 'connect', ['d.ts', 'd.cts'], ['jose', 'rxjs']);
}
