import { useState } from 'preact/hooks';

import { call, type Page, type TrailEvent } from '../../api';
import { useTexts } from '../../texts';
import { Done, ProblemNotice, useAction } from '../../ui';
import { toCsv, toLines } from './formats';

const PAGE_SIZE = '100';
const MAX_EVENTS = 10_000;

const FORMATS = {
  json: { write: toLines, type: 'application/x-ndjson', file: 'audit.ndjson' },
  csv: { write: toCsv, type: 'text/csv', file: 'audit.csv' },
} as const;

/** Reads all events that match, page by page, and saves them as a file. */
export function Export({ filter }: { filter: readonly string[][] }) {
  const { t, number } = useTexts();
  const [progress, setProgress] = useState('');
  const { isBusy, error, run } = useAction();
  const save = async (name: keyof typeof FORMATS): Promise<void> => {
    const events: TrailEvent[] = [];
    let cursor: string | null = '';
    while (cursor !== null && events.length < MAX_EVENTS) {
      const query = new URLSearchParams([
        ...filter,
        ...(cursor === '' ? [] : [['cursor', cursor]]),
        ['limit', PAGE_SIZE],
      ]).toString();
      const page: Page<TrailEvent> = await call('GET', `api/audit?${query}`);
      events.push(...page.items);
      cursor = page.nextCursor;
      setProgress(t('exporting', { count: number(events.length) }));
    }
    const { write, type, file } = FORMATS[name];
    download(new Blob([write(events)], { type }), file);
    setProgress(t('exported', { count: number(events.length) }));
  };
  return (
    <>
      <p class="faint">{t('exportLimit', { count: number(MAX_EVENTS) })}</p>
      <ProblemNotice error={error} />
      <Done>{progress}</Done>
      <p class="actions">
        {(['json', 'csv'] as const).map((name) => (
          <button key={name} type="button" disabled={isBusy} onClick={() => run(() => save(name))}>
            {t(`export.${name}`)}
          </button>
        ))}
      </p>
    </>
  );
}

function download(blob: Blob, file: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = file;
  link.click();
  URL.revokeObjectURL(link.href);
}
