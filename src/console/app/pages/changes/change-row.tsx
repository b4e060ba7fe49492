import type { Change, Instance } from '../../api';
import { useTexts } from '../../texts';
import { UserLink } from '../../ui';
import { useInstanceName } from './instance-name';

const WIDTH = 320;
const HEIGHT = 24;
const LONGEST = WIDTH - 8;
const SHORTEST = 28;
const START = 4;
/** Lines are as long as the logarithm of their time, from 0.1 ms to 10 s, so that changes can be compared. */
const SHORTEST_MS = 0.1;
const DECADES = 5;

interface ChangeRowProps {
  readonly change: Change;
  readonly instances: readonly Instance[];
  /** Of the user whom it concerns, if the page knows it. */
  readonly name: string | undefined;
}

/** One change: what it concerns, and a line to each holder and back, as long as it took. */
export function ChangeRow({ change, instances, name }: ChangeRowProps) {
  const { t, time, number } = useTexts();
  const instanceName = useInstanceName(instances);
  const { kind, id } = change.subject;
  const subject = t(
    kind === 'user' || kind === 'service-account' || kind === 'signing-keys' || kind === 'roles'
      ? `subject.${kind}`
      : 'subject.other',
  );
  return (
    <li>
      <p>
        <time dateTime={change.at}>{time(change.at)}</time>{' '}
        <strong>
          {subject} {kind === 'user' && id ? <UserLink id={id} name={name} /> : id}
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
              })}{' '}
        <span class="faint">{t('announcedBy', { instance: instanceName(change.instance) })}</span>
      </p>
      {change.holders.length > 0 && <Lines change={change} nameOf={instanceName} />}
    </li>
  );
}

interface LinesProps {
  readonly change: Change;
  readonly nameOf: (holderId: string) => string;
}

function Lines({ change, nameOf }: LinesProps) {
  const { number } = useTexts();
  const holders = change.holders.map((holder) =>
    typeof holder === 'string' ? { instance: holder, ms: null, outcome: undefined } : holder,
  );
  return (
    <ul class="lines">
      {holders.map(({ instance, ms, outcome }) => (
        <li key={instance} class={outcome ?? 'pending'}>
          <Line length={ms === null ? LONGEST : lengthOf(ms)} isBack={outcome === 'acknowledged'} />
          <span>{ms === null ? nameOf(instance) : `${nameOf(instance)}: ${number(ms, 1)} ms`}</span>
        </li>
      ))}
    </ul>
  );
}

function Line({ length, isBack }: { length: number; isBack: boolean }) {
  const middle = HEIGHT / 2;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <path class="origin" d={`M${START} 0 V${HEIGHT}`} />
      <path class="out" pathLength="1" d={`M${START} ${middle - 4} H${length}`} />
      {isBack && (
        <>
          <path class="back" pathLength="1" d={`M${length} ${middle + 4} H${START + 8}`} />
          <path class="tip" d={`M${START + 2} ${middle + 4} l9 -4 v8 z`} />
        </>
      )}
      <circle cx={length} cy={middle} r="6" />
    </svg>
  );
}

function lengthOf(ms: number): number {
  const part = Math.log10(ms / SHORTEST_MS) / DECADES;
  return SHORTEST + (LONGEST - SHORTEST) * Math.min(1, Math.max(0, part));
}
