import { DurationTally } from './duration-tally.js';
import { mergedMetrics } from './merged-metrics.js';
import { MetricsRegistry } from './metrics-registry.js';

describe('the metrics of several registries', () => {
  const registryOf = (worker: string, depth: number, ms: number): MetricsRegistry => {
    const registry = new MetricsRegistry();
    const tally = new DurationTally([0.25]);
    tally.observe(ms);
    registry.gauge('depth', 'How deep.', () => depth);
    registry.histogram('waited_seconds', 'How long.', () => [[{ where: 'here' }, tally]]);
    registry.setDefaultLabels({ worker });
    return registry;
  };

  it('are series of one family each, with the label of their registry, and are not added up', async () => {
    const registries = [registryOf('1', 3, 100), registryOf('2', Number.NaN, 400)];

    const text = await mergedMetrics(await Promise.all(registries.map((one) => one.snapshot())));

    expect(text.trim().split('\n')).toEqual([
      '# HELP depth How deep.',
      '# TYPE depth gauge',
      'depth{worker="1"} 3',
      'depth{worker="2"} Nan',
      '',
      '# HELP waited_seconds How long.',
      '# TYPE waited_seconds histogram',
      'waited_seconds_bucket{where="here",le="0.25",worker="1"} 1',
      'waited_seconds_bucket{where="here",le="+Inf",worker="1"} 1',
      'waited_seconds_sum{where="here",worker="1"} 0.1',
      'waited_seconds_count{where="here",worker="1"} 1',
      'waited_seconds_bucket{where="here",le="0.25",worker="2"} 0',
      'waited_seconds_bucket{where="here",le="+Inf",worker="2"} 1',
      'waited_seconds_sum{where="here",worker="2"} 0.4',
      'waited_seconds_count{where="here",worker="2"} 1',
    ]);
  });

  it('contain every metric of the process', async () => {
    const registry = new MetricsRegistry();
    registry.collectProcessMetrics();
    const namesIn = (text: string): string[] =>
      Array.from(text.matchAll(/^# TYPE (\S+)/gm), ([, name]) => name!);

    const merged = await mergedMetrics([await registry.snapshot()]);

    expect(namesIn(merged)).toEqual(namesIn(await registry.metrics()));
  });
});
