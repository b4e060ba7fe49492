import type { Metric, MetricType, MetricValueWithName, Registry } from 'prom-client';

export type Value = MetricValueWithName<string>;

/**
 * A metric with several series that keeps nothing: its values are read where they are kept when somebody looks. prom-client's
 * own metrics look a series up by its labels for each observation, which costs more than all else that a warm request counts.
 * Their `collect()` serves single values; it cannot set the buckets of a histogram, and wants all labels beforehand.
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
    // A registry asks a metric for its name, `get` and `reset`. Its types know prom-client's own classes only.
    registry.registerMetric(this as unknown as Metric);
  }

  async get(): Promise<object> {
    const { name, help, type } = this;
    return { name, help, type, aggregator: 'sum', values: [...(await this.read())] };
  }

  reset(): void {
    // Begins anew where it is kept.
  }
}
