import { readClusterState } from './redis-cluster.health.js';

const OK = 'cluster_state:ok\r\n';
const line = (flags: string, slots = '', link = 'connected'): string =>
  `id 127.0.0.1:7000@17000 ${flags} - 0 0 1 ${link}${slots && ` ${slots}`}`;
const masters = [
  line('myself,master', '0-5460'),
  line('master', '5461-10921'),
  line('master', '10922-16383'),
];

describe('the state of the cluster', () => {
  it('counts masters, replicas and slots', () => {
    const nodes = [...masters, line('slave'), line('slave')].join('\n');

    expect(readClusterState(OK, nodes)).toEqual({
      isHealthy: true,
      masters: 3,
      replicas: 2,
      uncoveredSlots: 0,
    });
  });

  it('leaves out what has failed, and the slots that it served', () => {
    const nodes = [...masters.slice(1), line('master,fail', '0-5460'), line('slave,fail')].join(
      '\n',
    );

    expect(readClusterState(OK, nodes)).toEqual({
      isHealthy: false,
      masters: 2,
      replicas: 0,
      uncoveredSlots: 5461,
    });
  });

  it('leaves out what is only suspected, or cut off, at once', () => {
    const suspected = [line('master,fail?', '0-5460'), ...masters.slice(1)].join('\n');
    const cutOff = [line('master', '0-5460', 'disconnected'), ...masters.slice(1)].join('\n');

    for (const nodes of [suspected, cutOff]) {
      expect(readClusterState(OK, nodes)).toMatchObject({ isHealthy: false, masters: 2 });
    }
  });

  it('counts single slots, and slots on the move where they still are', () => {
    const moving = line('master', '0-5458 5459 5460 [5460->-other]');

    expect(readClusterState(OK, [moving, ...masters.slice(1)].join('\n')).uncoveredSlots).toBe(0);
  });

  it('is not healthy when the cluster says that it is down', () => {
    expect(readClusterState('cluster_state:fail', masters.join('\n')).isHealthy).toBe(false);
  });
});
