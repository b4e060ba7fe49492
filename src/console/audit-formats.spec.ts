import { toCsv, toLines } from './app/pages/audit/formats.js';

const EVENT = { id: 'e1', type: 'logged-in', at: '2026-11-23T09:30:00.000Z' } as const;

describe('an export of the audit trail', () => {
  it('quotes cells, and contains nothing that a spreadsheet runs', () => {
    const [head, row] = toCsv([
      {
        ...EVENT,
        result: 'refused',
        reason: '=HYPERLINK("https://evil.example")',
        actor: { kind: 'user', id: '@SUM(1)' },
        details: { name: 'a "quoted" text,\nin two lines' },
      },
    ]).split('\r\n');

    expect(head).toBe(
      '"at","type","result","reason","actorKind","actorId","subjectKind","subjectId","ip","requestId","details","id"',
    );
    expect(row).toContain('"\'=HYPERLINK(""https://evil.example"")","user","\'@SUM(1)"');
    expect(row).toContain('"{""name"":""a \\""quoted\\"" text,\\nin two lines""}"');
  });

  it.each(['=1', '+1', '-1', '@a', '\t=1', '\r=1', '\n=1', '\0=1', '＝1', '＋1', '－1', '＠a'])(
    'marks %j as text',
    (reason) => {
      expect(toCsv([{ ...EVENT, reason }])).toContain(`"'${reason}"`);
    },
  );

  it('has a line of JSON for each event', () => {
    expect(toLines([EVENT, EVENT])).toBe(`${JSON.stringify(EVENT)}\n`.repeat(2));
    expect(toLines([])).toBe('');
  });
});
