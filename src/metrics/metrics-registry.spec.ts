import { DurationTally } from './duration-tally.js';
import { MetricsRegistry } from './metrics-registry.js';

describe('the registry of metrics', () => {
  it('shows a histogram as Prometheus has it: each bucket with all below it, in seconds', async () => {
    const registry = new MetricsRegistry();
    const tally = new DurationTally([0.001, 0.25]);
    registry.histogram('waited_seconds', 'How long.', () => [[{ where: 'here' }, tally]]);

    [0.4, 1, 1.01, 250, 300].forEach((ms) => tally.observe(ms));

    expect((await registry.getSingleMetricAsString('waited_seconds')).split('\n')).toEqual([
      '# HELP waited_seconds How long.',
      '# TYPE waited_seconds histogram',
      'waited_seconds_bucket{where="here",le="0.001"} 2',
      'waited_seconds_bucket{where="here",le="0.25"} 4',
      'waited_seconds_bucket{where="here",le="+Inf"} 5',
      'waited_seconds_sum{where="here"} 0.55241',
      'waited_seconds_count{where="here"} 5',
    ]);
  });

  it('reads a gauge when somebody looks, also while its value is not known', async () => {
    const registry = new MetricsRegistry();
    let depth = Number.NaN;
    registry.gauge('depth', 'How deep.', () => Promise.resolve(depth));

    expect(await registry.getSingleMetricAsString('depth')).toMatch(/^depth Nan$/m);
    depth = 3;
    expect(await registry.getSingleMetricAsString('depth')).toMatch(/^depth 3$/m);
  });

  it('takes no name twice', () => {
    const registry = new MetricsRegistry();
    const add = (): void => registry.gauge('depth', 'How deep.', () => 1);

    add();

    expect(add).toThrow('already been registered');
  });
});
