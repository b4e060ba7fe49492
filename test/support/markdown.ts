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

/** The sections of the second level, in their order: the text below each heading. */
export function sections(markdown: string): string[] {
  return markdown.split(/^## .*$/m).slice(1);
}

/**
 * The rows below the head of the table that has this text in a first cell.
 *
 * @throws when there is none
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

/** What stands in backticks, in its order. */
export function codeSpans(markdown: string): string[] {
  return Array.from(markdown.matchAll(/`([^`]+)`/g), ([, text]) => text!);
}

/** The targets of links and pictures. */
export function linksIn(markdown: string): string[] {
  return Array.from(
    withoutCode(markdown).matchAll(/\]\(([^)\s]+)\)|\b(?:src|href)="([^"]+)"/g),
    ([, inMarkdown, inHtml]) => inMarkdown ?? inHtml!,
  );
}

/** The ids that GitHub gives to the headings. */
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
