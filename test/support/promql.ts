import { parser } from '@prometheus-io/lezer-promql';

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

export interface LabelMatcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly LabelMatcher[];
}

/** The selectors and labels of an expression. */
export interface Query {
  readonly selectors: readonly Selector[];
  /** Labels in `by (…)` and `on (…)`. */
  readonly grouping: readonly string[];
}

/** @throws when the text is not a valid PromQL expression */
export function parseQuery(text: string): Query {
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  const textOf = ({ from, to }: { from: number; to: number }): string => text.slice(from, to);
  parser.parse(text).iterate({
    enter: (node) => {
      if (node.type.isError) {
        throw new Error(`not PromQL at ${node.from}: ${text}`);
      }
      if (node.name === 'VectorSelector') {
        selectors.push(selectorOf(node.node, textOf));
      }
      if (node.name === 'GroupingLabels') {
        grouping.push(...node.node.getChildren('LabelName').map(textOf));
      }
    },
  });
  return { selectors, grouping };
}

function selectorOf(node: SyntaxNode, textOf: (node: SyntaxNode) => string): Selector {
  const name = node.getChild('Identifier');
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
  return {
    metric: name ? textOf(name) : '',
    matchers: matchers.map((matcher) => ({
      label: textOf(matcher.getChild('LabelName')!),
      operator: textOf(matcher.getChild('MatchOp')!),
      value: textOf(matcher.getChild('StringLiteral')!).slice(1, -1),
    })),
  };
}
