import { foldName } from './fold-name.js';
import { CONFUSABLES } from './unicode-security-data.js';

const PROTOTYPES = new Map(
  CONFUSABLES.trim()
    .split(/\s+/)
    .map((entry): [string, string] => {
      const [source = '', prototype = ''] = entry
        .split('>')
        .map((codePoints) =>
          String.fromCodePoint(
            ...codePoints.split('+').map((codePoint) => parseInt(codePoint, 16)),
          ),
        );
      return [source, prototype];
    }),
);
/** Each round replaces characters by prototypes; two reach the fixed point for almost every name. */
const MAX_ROUNDS = 10;

/**
 * What names that look alike have in common: the skeleton of UTS #39 section 4, case-folded, until neither changes it any
 * more. Only for comparisons, never shown.
 *
 * Two additions. A dot above a letter that has one disappears (UTS #39 section 5.4). And `rn` is written `m`, which
 * changes no comparison, because a skeleton has no `m`, and leaves most names as they are: those need no key of their own.
 */
export function skeletonOf(name: string): string {
  let skeleton = name;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const next = foldName(withPrototypes(skeleton));
    if (next === skeleton) {
      break;
    }
    skeleton = next;
  }
  return skeleton.replaceAll('rn', 'm');
}

function withPrototypes(text: string): string {
  const decomposed = text.normalize('NFD').replace(/(?<=\p{Soft_Dotted})\u0307+/gu, '');
  return Array.from(decomposed, (char) => PROTOTYPES.get(char) ?? char).join('');
}
