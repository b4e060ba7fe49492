/** A row of the chart: one bar for each series. */
export interface ChartRow {
  readonly label: string;
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly value: number;
  /** The label next to the bar. */
  readonly text: string;
  /** The range of the rounds, drawn as a thin line. */
  readonly spread?: { readonly min: number; readonly max: number };
}

export interface Chart {
  readonly title: string;
  readonly series: readonly string[];
  readonly rows: readonly ChartRow[];
}

const WIDTH = 760;
const LABEL_WIDTH = 210;
const TEXT_WIDTH = 90;
const BAR_HEIGHT = 16;
const ROW_GAP = 12;
const HEAD_HEIGHT = 56;
/** Distinguishable with color blindness, and readable on white. */
const COLORS = ['#0b6e99', '#e0912f'];

/** Draws horizontal bars that start at zero, as SVG. */
export function barChart({ title, series, rows }: Chart): string {
  const longest = Math.max(
    ...rows.flatMap(({ bars }) => bars.map(({ value, spread }) => spread?.max ?? value)),
  );
  const scale = (WIDTH - LABEL_WIDTH - TEXT_WIDTH) / (longest > 0 ? longest : 1);
  const rowHeight = series.length * BAR_HEIGHT + ROW_GAP;
  const height = HEAD_HEIGHT + rows.length * rowHeight;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(10, 22, title, 'font-weight="bold"'),
    ...series.flatMap((name, index) => [
      rectangle(LABEL_WIDTH + index * 120, 32, 10, 10, index),
      text(LABEL_WIDTH + index * 120 + 15, 41, name),
    ]),
    ...rows.flatMap((row, index) => drawRow(row, HEAD_HEIGHT + index * rowHeight, scale)),
    '</svg>\n',
  ].join('\n');
}

function drawRow({ label, bars }: ChartRow, top: number, scale: number): string[] {
  const middle = top + (bars.length * BAR_HEIGHT) / 2 + 4;
  return [
    text(LABEL_WIDTH - 8, middle, label, 'text-anchor="end"'),
    ...bars.flatMap(({ value, text: caption, spread }, index) => {
      const y = top + index * BAR_HEIGHT;
      const end = LABEL_WIDTH + (spread?.max ?? value) * scale;
      return [
        rectangle(LABEL_WIDTH, y, value * scale, BAR_HEIGHT - 3, index),
        ...(spread ? [whisker(spread.min * scale, spread.max * scale, y + 6.5)] : []),
        text(end + 6, y + 11, caption),
      ];
    }),
  ];
}

function rectangle(x: number, y: number, width: number, height: number, series: number): string {
  const color = COLORS[series % COLORS.length];
  return `<rect x="${x}" y="${y}" width="${round(width)}" height="${height}" fill="${color}"/>`;
}

function whisker(from: number, to: number, y: number): string {
  const [x1, x2] = [round(LABEL_WIDTH + from), round(LABEL_WIDTH + to)];
  return `<line x1="${x1}" x2="${x2}" y1="${y}" y2="${y}" stroke="#222222"/>`;
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" fill="#222222" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const round = (value: number): number => Math.round(value * 10) / 10;
