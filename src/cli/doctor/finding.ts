export type Level = 'ok' | 'warning' | 'failed' | 'not allowed to look';

/** Result of one check, on one node or on the whole cluster. */
export interface Finding {
  readonly check: string;
  readonly level: Level;
  /** The observed state, in one line. */
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

/** 0: all ok. 1: warnings, or checks that were not allowed. 2: a failed check. */
export function exitCodeOf(findings: readonly Finding[]): number {
  return Math.max(0, ...findings.map(({ level }) => SEVERITY[level]));
}

/** Formats one line per distinct finding, with the nodes that it applies to. */
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
