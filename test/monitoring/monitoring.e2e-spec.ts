import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { parse as parseYaml } from 'yaml';

import { Deadline } from '../../src/common/deadline/index.js';
import { KeyRotationSchedule } from '../../src/keys/index.js';
import { LuaScript, RedisCluster } from '../../src/redis-cluster/index.js';
import { TestAuthority } from '../support/certificates.js';
import { Instance } from '../support/instance.js';
import { eventually, startOwnCluster } from '../support/own-cluster.js';
import { parseQuery } from '../support/promql.js';
import { startTestApp } from '../support/test-app.js';

/** Labels that Prometheus adds to every scraped series, and the series that it generates. */
const ADDED_BY_PROMETHEUS = { metric: 'up', labels: ['job', 'instance'] };

const ONE_COPY_TIMEOUT_MS = 30_000;

type Labels = Readonly<Record<string, string>>;

/** Series by name, as exposed on /metrics. */
type Exported = ReadonlyMap<string, readonly Labels[]>;

const SAMPLE = /^(\w+)(?:\{(.*)\})? \S+$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

function exportedIn(metrics: string): Exported {
  const series = new Map<string, Labels[]>();
  for (const line of metrics.split('\n')) {
    const [, name, labels = ''] = SAMPLE.exec(line) ?? [];
    if (name !== undefined) {
      const pairs = Array.from(labels.matchAll(LABEL), ([, label, value]) => [label!, value!]);
      series.set(name, [...(series.get(name) ?? []), Object.fromEntries(pairs) as Labels]);
    }
  }
  return series;
}

/** Metrics of an instance with HTTPS, which include the expiry of the certificate. */
async function readOverTls(folder: string): Promise<string> {
  const authority = await TestAuthority.create(folder);
  const { cert, key } = await authority.issue({ type: 'ip', value: '127.0.0.1' });
  const api = await startTestApp({ TLS_CERT: cert, TLS_KEY: key });
  try {
    const ca = readFileSync(authority.file);
    return await new Promise((done, fail) => {
      get(`${api.url}/metrics`, { ca }, (response) => void textOf(response).then(done, fail)).once(
        'error',
        fail,
      );
    });
  } finally {
    await api.close();
  }
}

/** Metrics after every kind of traffic. */
async function readAfterTraffic(): Promise<string> {
  const api = await startTestApp();
  try {
    const { id, tokens } = await api.newUser();
    await api.ownUser(tokens.access_token);
    await api.ownUser(tokens.access_token);
    await api.request('GET', `/api/users/${id}`, { token: tokens.access_token });
    await api.request('GET', '/not/there');
    await api.request('GET', '/health/ready');
    // No node has this script, which causes an error reply.
    const unloadedScript = LuaScript.fromText(
      'unheard-of',
      `-- KEYS[1] a key\nreturn '${randomUUID()}'`,
      String,
    );
    await api.app.get(KeyRotationSchedule).check();
    const redis = api.app.get(RedisCluster);
    await redis.run(
      unloadedScript,
      [redis.keys.key(['note', id], 'none')],
      [],
      Deadline.after(5000),
    );
    await api.logout(tokens.access_token);
    return (await api.request<string>('GET', '/metrics')).body;
  } finally {
    await api.close();
  }
}

/** Metrics of an instance on a cluster in which a shard has lost its replica. */
async function readWithOneCopy(): Promise<string> {
  const own = await startOwnCluster();
  const [master] = await own.masters();
  own.signal(await own.replicaOf(master!), 'SIGKILL');
  const api = await startTestApp(own.variables);
  try {
    let metrics = '';
    await eventually('a write is acknowledged with one copy', ONE_COPY_TIMEOUT_MS, async () => {
      // Each user is in a random shard. Until the masters agree that the replica has failed, the answer can be 503.
      await api.register(`user-${randomUUID()}`);
      metrics = (await api.request<string>('GET', '/metrics')).body;
      return metrics.includes('keyslot_redis_single_copy_writes_total{');
    });
    return metrics;
  } finally {
    await api.close();
    await own.remove();
  }
}

/** Metrics of an instance with two workers. */
async function readFromWorkers(): Promise<string> {
  const instance = await Instance.start({ WORKERS: '2' });
  try {
    return (await instance.request<string>('GET', '/metrics')).body;
  } finally {
    await instance.stop();
  }
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
}

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[];
  }[];
  readonly templating: {
    readonly list: readonly { readonly type: string; readonly query: string }[];
  };
}

const rules = (
  parseYaml(readFileSync('docker/prometheus/alerts.yml', 'utf8')) as {
    groups: { rules: Rule[] }[];
  }
).groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(
  readFileSync('docker/grafana/dashboards/keyslot.json', 'utf8'),
) as Dashboard;
const targets = dashboard.panels.flatMap(({ title, targets: ofPanel = [] }) =>
  ofPanel.map((target) => ({ title, ...target })),
);
const operations = readFileSync('docs/operations/monitoring.md', 'utf8');

describe('the monitoring configuration', () => {
  let exported: Exported;
  let fromWorkers: Exported;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keyslot-monitoring-'));
    const metrics = [await readAfterTraffic(), await readOverTls(folder), await readWithOneCopy()];
    const ofWorkers = await readFromWorkers();
    fromWorkers = exportedIn(ofWorkers);
    // Expressions must not need a label that only some instances have.
    exported = exportedIn([...metrics, ofWorkers.replace(/,?worker="\d+"/g, '')].join('\n'));
    rmSync(folder, { recursive: true });
  });

  it('is the same for several workers: each series of theirs has one label more', () => {
    const ownOfPrimary = ['keyslot_worker_exits_total'];
    // They begin with the first error of a worker, and with its first check of the keys, some time in its first minute.
    const later = [
      'keyslot_redis_call_errors_total',
      'keyslot_signing_key_age_seconds',
      'keyslot_signing_keys',
    ];
    const fromTheStart = [...fromWorkers].filter(([name]) => !later.includes(name));

    for (const [name, series] of fromTheStart) {
      const numbers = new Set(series.map(({ worker }) => worker));
      expect({ name, numbers: [...numbers] }).toEqual({
        name,
        numbers: ownOfPrimary.includes(name) ? [undefined] : ['1', '2'],
      });
    }
    expect(fromWorkers.size).toBeGreaterThan(50);
  });

  /** The series in an expression that no instance exposes. */
  const unknownIn = (expression: string): string[] => {
    // Grafana replaces it with a duration.
    const { selectors, grouping } = parseQuery(expression.replaceAll('$__rate_interval', '5m'));
    const labelsOf = (metric: string): string[] => [
      ...ADDED_BY_PROMETHEUS.labels,
      ...(exported.get(metric) ?? []).flatMap((labels) => Object.keys(labels)),
    ];
    const ofSelectors = selectors.flatMap(({ metric, matchers }) => {
      const series = exported.get(metric) ?? [];
      if (metric !== ADDED_BY_PROMETHEUS.metric && series.length === 0) {
        return [metric];
      }
      const known = labelsOf(metric);
      const ownMatchers = matchers.filter(
        ({ label }) => !ADDED_BY_PROMETHEUS.labels.includes(label),
      );
      return ownMatchers
        .filter(
          ({ label, operator, value }) =>
            !known.includes(label) ||
            (operator === '=' && !series.some((labels) => labels[label] === value)),
        )
        .map(({ label, operator, value }) => `${metric}{${label}${operator}"${value}"}`);
    });
    const ofAll = selectors.flatMap(({ metric }) => labelsOf(metric));
    return [...ofSelectors, ...grouping.filter((label) => !ofAll.includes(label))];
  };

  it.each(rules.map(({ alert, expr }) => [alert, expr]))(
    'alerts on the metrics of an instance: %s',
    (_, expression) => {
      expect(unknownIn(expression)).toEqual([]);
    },
  );

  it('shows only existing metrics on the dashboard', () => {
    expect(targets.length).toBeGreaterThan(20);
    const unknown = targets.map(({ title, expr }) => ({ title, unknown: unknownIn(expr) }));

    expect(unknown.filter((target) => target.unknown.length > 0)).toEqual([]);
    const variables = dashboard.templating.list.filter(({ type }) => type === 'query');
    for (const { query } of variables) {
      const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(query)!;
      expect({ query, unknown: unknownIn(selector!) }).toEqual({ query, unknown: [] });
      expect(ADDED_BY_PROMETHEUS.labels).toContain(label);
    }
  });

  it('uses only labels in dashboard legends that the expressions keep', () => {
    for (const { title, expr, legendFormat = '' } of targets) {
      const { selectors, grouping } = parseQuery(expr.replaceAll('$__rate_interval', '5m'));
      const isGrouped = grouping.length > 0;
      const kept = isGrouped
        ? grouping
        : [
            ...ADDED_BY_PROMETHEUS.labels,
            ...selectors.flatMap(({ metric }) => Object.keys(exported.get(metric)?.[0] ?? {})),
          ];
      const named = Array.from(legendFormat.matchAll(/\{\{(\w+)\}\}/g), ([, label]) => label!);
      expect({ title, lost: named.filter((label) => !kept.includes(label)) }).toEqual({
        title,
        lost: [],
      });
    }
  });

  it('shows each of our metrics on the dashboard', () => {
    const shown = targets
      .flatMap(({ expr }) => parseQuery(expr.replaceAll('$__rate_interval', '5m')).selectors)
      .map(({ metric }) => familyOf(metric));

    expect([...new Set(ownFamilies())].filter((family) => !shown.includes(family))).toEqual([]);
  });

  it('is documented: docs/operations/monitoring.md lists every metric of ours with its labels, and no others', () => {
    const rows = operations.matchAll(/^\| `(keyslot_\w+)` +\| ([^|]*?) *\|/gm);
    const documented = Object.fromEntries(
      Array.from(rows, ([, name, labels]) => [
        name!,
        Array.from(labels!.matchAll(/`(\w+)`/g), ([, label]) => label!).sort(),
      ]),
    );

    const found: Record<string, string[]> = {};
    for (const [name, series] of exported) {
      if (name.startsWith('keyslot_')) {
        const labels = new Set([...(found[familyOf(name)] ?? []), ...series.flatMap(Object.keys)]);
        found[familyOf(name)] = [...labels].sort();
      }
    }
    expect(documented).toEqual(found);
  });

  it('is documented: docs/operations/monitoring.md lists every alert with its severity, and no others', () => {
    const rows = operations.matchAll(/^\| `(Keyslot\w+)` +\| (page|ticket) +\| (\S.*?) *\|$/gm);

    expect(
      Object.fromEntries(Array.from(rows, ([, alert, severity]) => [alert, severity])),
    ).toEqual(Object.fromEntries(rules.map(({ alert, labels }) => [alert, labels.severity])));
  });

  it('has a test for each alert', () => {
    const tried = readFileSync('docker/prometheus/alerts.test.yml', 'utf8');
    const { tests } = parseYaml(tried) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] }[];
    };
    const raised = tests
      .flatMap((test) => test.alert_rule_test)
      .filter(({ exp_alerts: alerts = [] }) => alerts.length > 0)
      .map(({ alertname }) => alertname);

    expect([...new Set(raised)].sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });

  const ownFamilies = (): string[] =>
    [...exported.keys()].filter((name) => name.startsWith('keyslot_')).map(familyOf);
});

/** The metric of a series: a histogram has three series. */
function familyOf(series: string): string {
  return series.replace(/_(?:bucket|sum|count)$/, '');
}
