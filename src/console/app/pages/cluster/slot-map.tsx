import type { ClusterNode } from '../../api';
import { useTexts } from '../../texts';

const SLOTS = 16_384;
const WIDTH = 1024;
const HEIGHT = 44;
/** A shard without calls is still visible. */
const LEAST_OPACITY = 0.3;
const COLOURS = 6;

interface Range {
  readonly first: number;
  readonly last: number;
  /** Position of the shard; undefined: no master serves these slots. */
  readonly shard?: number;
  readonly node?: ClusterNode;
}

/** All slots in a row, in the colours of their shards. The table below it has the same facts as text. */
export function SlotMap({ nodes }: { nodes: readonly ClusterNode[] }) {
  const { t } = useTexts();
  const masters = mastersOf(nodes);
  const most = Math.max(1, ...masters.map(({ callsPerSecond }) => callsPerSecond ?? 0));
  return (
    <>
      <svg
        class="slots"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t('slotMap')}
      >
        {rangesOf(masters).map(({ first, last, shard, node }) => (
          <rect
            key={first}
            class={node === undefined || shard === undefined ? 'gap' : `shard-${shard % COLOURS}`}
            x={(first / SLOTS) * WIDTH}
            y="0"
            width={((last - first + 1) / SLOTS) * WIDTH}
            height={HEIGHT}
            opacity={
              node
                ? LEAST_OPACITY + (1 - LEAST_OPACITY) * ((node.callsPerSecond ?? 0) / most)
                : undefined
            }
          >
            <title>{`${first}–${last}: ${node?.address ?? t('notServed')}`}</title>
          </rect>
        ))}
      </svg>
      <p class="faint">{t('slotMap')}</p>
    </>
  );
}

/** In the order of their slots, so that a shard keeps its colour. */
export function mastersOf(nodes: readonly ClusterNode[]): ClusterNode[] {
  return nodes
    .filter(({ role, slots }) => role === 'master' && slots.length > 0)
    .sort((one, other) => one.slots[0]![0] - other.slots[0]![0]);
}

function rangesOf(masters: readonly ClusterNode[]): Range[] {
  const served = masters
    .flatMap((node, shard) =>
      node.isUp ? node.slots.map(([first, last]): Range => ({ first, last, shard, node })) : [],
    )
    .sort((one, other) => one.first - other.first);
  const ranges: Range[] = [];
  let next = 0;
  for (const range of [...served, { first: SLOTS, last: SLOTS }]) {
    if (range.first > next) {
      ranges.push({ first: next, last: range.first - 1 });
    }
    if (range.first < SLOTS) {
      ranges.push(range);
    }
    next = range.last + 1;
  }
  return ranges;
}
