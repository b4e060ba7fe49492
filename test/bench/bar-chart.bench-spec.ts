import { barChart } from './bar-chart.js';

describe('the bar chart', () => {
  const bar = (value: number, max = value) => ({
    value,
    text: String(value),
    spread: { min: value, max },
  });
  const chart = (...values: number[]) =>
    barChart({
      title: 'a < b & c',
      series: ['median'],
      rows: values.map((value, index) => ({ label: `peer-${index}`, bars: [bar(value)] })),
    });
  /** The widths of the bars, without background and legend. */
  const widths = (svg: string): number[] =>
    [...svg.matchAll(/<rect x="210" y="[\d.]+" width="([\d.]+)" height="13"/g)].map(([, width]) =>
      Number(width),
    );

  it('draws bars in proportion, from zero on', () => {
    const [first, second] = widths(chart(1, 0.25));

    expect(first).toBeGreaterThan(0);
    expect(second).toBeCloseTo(first! / 4, 0);
  });

  it('keeps the longest spread inside the picture', () => {
    const svg = barChart({
      title: 't',
      series: ['median'],
      rows: [{ label: 'peer', bars: [bar(1, 3)] }],
    });
    const end = Number(/<line x1="[\d.]+" x2="([\d.]+)"/.exec(svg)?.[1]);

    expect(end).toBeLessThan(760);
    expect(widths(svg)[0]).toBeCloseTo((end - 210) / 3, 0);
  });

  it('is well-formed XML for any text', () => {
    const svg = chart(1);

    expect(svg).toContain('<title>a &lt; b &amp; c</title>');
    expect(svg.replaceAll(/<(\w+)[^<>]*?(\/>|>[^<>]*<\/\1>)/g, '').trim()).toMatch(
      /^<svg [^<>]*>\s*<\/svg>$/,
    );
  });

  it('draws no bars when all values are zero', () => {
    expect(widths(chart(0, 0))).toEqual([0, 0]);
  });

  it('grows with the number of rows', () => {
    const height = (svg: string): number => Number(/viewBox="0 0 760 (\d+)"/.exec(svg)?.[1]);

    expect(height(chart(1, 2, 3))).toBeGreaterThan(height(chart(1, 2)));
  });
});
