export type Level = 'ok' | 'warning' | 'failed' | 'not allowed to look';

/** What one check found on one node, or about the cluster as a whole. */
export interface Finding {
  readonly check: string;
  readonly level: Level;
  /** What there is, in one line. */
  readonly text: string;
  /** What to do about it, in one line. */
  readonly remedy?: string;
}

const SEVERITY: Readonly<Record<Level, number>> = {
  ok: 0,
  'not allowed to look': 1,
  warning: 1,
  failed: 2,
};

/** 0: all is well. 1: warnings, or something could not be looked at. 2: something would break a promise. */
export function exitCodeOf(findings: readonly Finding[]): number {
  return Math.max(0, ...findings.map(({ level }) => SEVERITY[level]));
}

/** One line for each different finding, with the nodes it holds for. */
export function report(findings: readonly (Finding & { readonly node?: string })[]): string {
  const nodes = new Map<string, string[]>();
  for (const { check, level, text, remedy, node } of findings) {
    const line = JSON.stringify([check, level, text, remedy ?? '']);
    nodes.set(line, [...(nodes.get(line) ?? []), ...(node === undefined ? [] : [node])]);
  }
  return [...nodes]
    .map(([line, where]) => {
      const [check, level, text, remedy] = JSON.parse(line) as [string, string, string, string];
      const places = where.length === 0 ? '' : ` [${where.join(', ')}]`;
      return `${level}: ${check}: ${text}${places}${remedy === '' ? '' : `. ${remedy}`}\n`;
    })
    .join('');
}
