import type { Metric, MetricType, MetricValueWithName, Registry } from 'prom-client';

export type Value = MetricValueWithName<string>;

/**
 * A metric with several series that stores nothing, and reads the values at each scrape. prom-client's own metrics look up a
 * series by its labels at every observation, which costs more than all other counting of a warm request. Their `collect()`
 * cannot set the buckets of a histogram, and requires all labels in advance.
 */
export class ReadMetric {
  readonly name: string;
  readonly help: string;
  readonly type: `${MetricType}`;

  constructor(
    registry: Registry,
    description: { readonly name: string; readonly help: string; readonly type: `${MetricType}` },
    private readonly read: () => Iterable<Value> | Promise<Iterable<Value>>,
  ) {
    ({ name: this.name, help: this.help, type: this.type } = description);
    // A registry only uses `name`, `get` and `reset`, but its types require prom-client's own classes.
    registry.registerMetric(this as unknown as Metric);
  }

  async get(): Promise<object> {
    const { name, help, type } = this;
    return { name, help, type, aggregator: 'sum', values: [...(await this.read())] };
  }

  reset(): void {
    // There is no state to reset.
  }
}
