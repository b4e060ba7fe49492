import type { Change, Instance } from '../../api';
import { useTexts } from '../../texts';
import { nameOf } from './name-of';

const WIDTH = 600;
const ROW_HEIGHT = 26;
const MARGIN = 8;
/** Lines are as long as the logarithm of their time, from 0.1 ms to 10 s, so that changes can be compared. */
const SHORTEST_MS = 0.1;
const DECADES = 5;

interface ChangeRowProps {
  readonly change: Change;
  readonly instances: readonly Instance[];
}

/** One change: what it concerns, and a line to each holder and back, as long as it took. */
export function ChangeRow({ change, instances }: ChangeRowProps) {
  const { t, time, number } = useTexts();
  const { kind, id } = change.subject;
  const name = t(
    kind === 'user' || kind === 'service-account' || kind === 'signing-keys' || kind === 'roles'
      ? `subject.${kind}`
      : 'subject.other',
  );
  return (
    <li>
      <p>
        <time dateTime={change.at}>{time(change.at)}</time>{' '}
        <strong>
          {name} {kind === 'user' && id ? <a href={`#/users/${id}`}>{id}</a> : id}
        </strong>
      </p>
      <p>
        {change.stage === 'announced'
          ? t('waiting', { count: change.holders.length })
          : change.holders.length === 0 && change.outcome === 'acknowledged'
            ? t('noHolders')
            : t(`outcome.${change.outcome}`, {
                count: change.holders.length,
                ms: number(change.ms, 1),
              })}
      </p>
      {change.holders.length > 0 && <Lines change={change} instances={instances} />}
    </li>
  );
}

function Lines({ change, instances }: ChangeRowProps) {
  const { t, number } = useTexts();
  const holders = change.holders.map((holder) =>
    typeof holder === 'string' ? { instance: holder, ms: null, outcome: undefined } : holder,
  );
  return (
    <svg
      class="lines"
      viewBox={`0 0 ${WIDTH} ${holders.length * ROW_HEIGHT + MARGIN}`}
      aria-hidden="true"
    >
      {holders.map(({ instance, ms, outcome }, row) => {
        const y = MARGIN + row * ROW_HEIGHT;
        const end = (WIDTH / 2) * (ms === null ? 1 : lengthOf(ms));
        const name = nameOf(instance, instances) ?? t('unknownInstance');
        return (
          <g key={instance} class={outcome ?? 'pending'}>
            <path d={`M0 ${y} H${end}`} />
            <path d={`M${end} ${y + 6} H0`} />
            <circle cx={end} cy={y + 3} r="5" />
            <text x={end + 12} y={y + 8}>
              {ms === null ? name : `${name}: ${number(ms, 1)} ms`}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

/** @returns a part of the longest line */
function lengthOf(ms: number): number {
  return Math.min(1, Math.max(0.02, Math.log10(ms / SHORTEST_MS) / DECADES));
}
