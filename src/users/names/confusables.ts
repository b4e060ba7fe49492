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
/** Each round replaces characters by prototypes. Two rounds reach the fixed point of almost every name. */
const MAX_ROUNDS = 10;

/**
 * The skeleton of a name: UTS #39 section 4 and case folding, both repeated until nothing changes. Names that look alike have
 * the same skeleton. It is only compared, never displayed.
 *
 * Two additions. A dot above a letter that already has one is removed (UTS #39 section 5.4). And `rn`, the prototype of `m`, is
 * written as `m` again. This changes no comparison, because a skeleton contains no other `m`. It makes most names equal to
 * their skeleton, so that they need no second key.
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
