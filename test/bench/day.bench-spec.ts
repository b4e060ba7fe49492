import { Random } from '../chaos/random.js';
import { refreshCount, requestsOfDay } from './day.js';
import { hitRate, parseLookUps } from './hit-rate.js';
import { Zipf } from './zipf.js';

const sessions = (count: number, name: string) =>
  Array.from({ length: count }, (_, index) => ({
    username: `${name}-${index}`,
    header: `Authorization: Bearer ${name}-${index}`,
    refreshToken: `${name}-${index}`,
  }));

describe('the mixed day', () => {
  const COUNT = 20_000;
  const readers = sessions(100, 'reader');
  const refreshing = sessions(refreshCount(COUNT), 'refreshing');
  const day = requestsOfDay(COUNT, readers, refreshing, new Random(1));
  const ofKind = (kind: string) =>
    day.filter(({ method = 'GET', path }) => `${method} ${path}` === kind);

  it('contains 95 % reads', () => {
    const share = (kind: string): number => ofKind(kind).length / COUNT;

    expect(share('GET /api/user')).toBeCloseTo(0.95, 2);
    expect(share('POST /api/refresh')).toBeCloseTo(0.025, 2);
    expect(share('PATCH /api/user')).toBeCloseTo(0.024, 2);
    expect(share('POST /api/login')).toBeCloseTo(0.001, 3);
    expect(share('POST /api/login')).toBeGreaterThan(0);
  });

  it('uses each refresh token once', () => {
    const bodies = ofKind('POST /api/refresh').map(({ body }) => JSON.stringify(body));

    expect(new Set(bodies).size).toBe(bodies.length);
  });

  it('is the same with the same seed', () => {
    expect(requestsOfDay(COUNT, readers, refreshing, new Random(1))).toEqual(day);
    expect(requestsOfDay(COUNT, readers, refreshing, new Random(2))).not.toEqual(day);
  });
});

describe("Zipf's law", () => {
  it('draws the first rank twice as often as the second, and every rank at some time', () => {
    const zipf = new Zipf(10);
    const random = new Random(3);
    const counts = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 50_000; draw += 1) {
      counts[zipf.draw(random)]! += 1;
    }

    expect(counts[0]! / counts[1]!).toBeCloseTo(2, 0);
    expect(counts[0]! / counts[9]!).toBeCloseTo(10, -1);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });
});

describe('the hit rate', () => {
  const metrics = (hit: number, miss: number): string =>
    [
      '# TYPE keyslot_near_cache_requests_total counter',
      `keyslot_near_cache_requests_total{result="hit"} ${hit}`,
      `keyslot_near_cache_requests_total{result="miss"} ${miss}`,
      'keyslot_near_cache_requests_total{result="untrusted"} 0',
    ].join('\n');

  it('counts the look-ups between two scrapes of the metrics', () => {
    const [before, after] = [metrics(100, 100), metrics(190, 110)].map(parseLookUps);

    expect(hitRate(before!, after!)).toBeCloseTo(0.9);
  });

  it('is not computed when a metric is missing', () => {
    expect(() => parseLookUps('process_cpu_seconds_total 1')).toThrow('do not tell');
  });
});
