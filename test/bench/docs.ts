import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';

import { OptionError } from './options.js';
import { plotsOf } from './plots.js';
import { markdownOf, type Report } from './report.js';

const PAGE = 'docs/benchmarks.md';
const PLOTS = 'docs/benchmarks';
const MARKED = /(<!-- results -->\n)[^]*(\n<!-- end of results -->)/;

/** Writes the newest results into the page, and the charts next to it. @throws OptionError when there are no results */
export async function writeDocs(output: string): Promise<void> {
  const report = newest(output);
  mkdirSync(PLOTS, { recursive: true });
  for (const { name, svg } of report.scenarios.flatMap(plotsOf)) {
    writeFileSync(`${PLOTS}/${name}.svg`, svg);
  }
  const page = withResults(readFileSync(PAGE, 'utf8'), report);
  const options = { ...(await resolveConfig(PAGE)), parser: 'markdown' };
  writeFileSync(PAGE, await format(page, options));
}

/** @throws when the page does not mark the place of the results */
export function withResults(page: string, report: Report): string {
  if (!MARKED.test(page)) {
    throw new Error(`${PAGE} does not say where the results go`);
  }
  const results = markdownOf(report, (scenario) =>
    plotsOf(scenario).map(({ name, alt }) => `![${alt}](benchmarks/${name}.svg)`),
  );
  return page.replace(MARKED, (_, begin: string, end: string) => `${begin}\n${results}\n${end}`);
}

function newest(output: string): Report {
  // The file names begin with the time.
  const file = filesOf(output).sort().at(-1);
  if (file === undefined) {
    throw new OptionError(`There are no results in ${output} yet: npm run bench`);
  }
  return JSON.parse(readFileSync(`${output}/${file}`, 'utf8')) as Report;
}

function filesOf(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}
