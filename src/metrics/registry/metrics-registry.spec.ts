import { DurationTally } from './duration-tally.js';
import { MetricsRegistry } from './metrics-registry.js';

describe('the metrics registry', () => {
  it('exports a histogram with cumulative buckets in seconds', async () => {
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

  it('reads a gauge at each scrape, also while its value is unknown', async () => {
    const registry = new MetricsRegistry();
    let depth = Number.NaN;
    registry.gauge('depth', 'How deep.', () => Promise.resolve(depth));

    expect(await registry.getSingleMetricAsString('depth')).toMatch(/^depth Nan$/m);
    depth = 3;
    expect(await registry.getSingleMetricAsString('depth')).toMatch(/^depth 3$/m);
  });

  it('refuses a duplicate name', () => {
    const registry = new MetricsRegistry();
    const add = (): void => registry.gauge('depth', 'How deep.', () => 1);

    add();

    expect(add).toThrow('already been registered');
  });
});
