import GithubSlugger from 'github-slugger';

export interface CodeBlock {
  readonly language: string;
  readonly text: string;
}

const FENCED = /^```(\w*)\n([^]*?)^```$/gm;

export function codeBlocks(markdown: string): CodeBlock[] {
  return Array.from(markdown.matchAll(FENCED), ([, language, text]) => ({
    language: language!,
    text: text!,
  }));
}

/** The sections of the second level, in order: the text below each heading. */
export function sections(markdown: string): string[] {
  return markdown.split(/^## .*$/m).slice(1);
}

/**
 * The rows of the table that contains this text in a cell of the first column.
 *
 * @throws when there is no such table
 */
export function tableWith(text: string, markdown: string): string[][] {
  const tables = markdown.match(/(?:^\|.*\|$\n?)+/gm) ?? [];
  const rows = tables
    .map((table) => table.trim().split('\n').slice(2).map(cellsOf))
    .find((table) => table.some(([first]) => first?.includes(text)));
  if (rows === undefined) {
    throw new Error(`no table has "${text}" in a first cell`);
  }
  return rows;
}

/** The texts in backticks, in order. */
export function codeSpans(markdown: string): string[] {
  return Array.from(markdown.matchAll(/`([^`]+)`/g), ([, text]) => text!);
}

/** The targets of links and images. */
export function linksIn(markdown: string): string[] {
  return Array.from(
    withoutCode(markdown).matchAll(/\]\(([^)\s]+)\)|\b(?:src|href)="([^"]+)"/g),
    ([, inMarkdown, inHtml]) => inMarkdown ?? inHtml!,
  );
}

/** The ids that GitHub generates for headings. */
export function anchorsOf(markdown: string): string[] {
  const slugger = new GithubSlugger();
  return Array.from(markdown.replace(FENCED, '').matchAll(/^#{1,6} (.+)$/gm), ([, text]) =>
    slugger.slug(text!),
  );
}

function cellsOf(row: string): string[] {
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function withoutCode(markdown: string): string {
  return markdown.replace(FENCED, '').replace(/`[^`\n]*`/g, '');
}
