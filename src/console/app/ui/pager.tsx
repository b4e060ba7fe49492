import { useTexts } from '../texts';

interface PagerProps {
  /** Of the pages from the second one to the one that is shown. Empty: the first one. */
  readonly cursors: readonly string[];
  readonly next: string | null | undefined;
  readonly change: (cursors: readonly string[]) => void;
}

/** Moves between pages. The API only knows the next page, so the page remembers the ones before. */
export function Pager({ cursors, next, change }: PagerProps) {
  const { t, number } = useTexts();
  if (cursors.length === 0 && !next) {
    return null;
  }
  const go = (chosen: readonly string[]): void => {
    change(chosen);
    window.scrollTo(0, 0);
  };
  const button = (text: 'first' | 'previous' | 'more', chosen: readonly string[] | undefined) => (
    <button type="button" disabled={!chosen} onClick={() => go(chosen!)}>
      {t(text)}
    </button>
  );
  const earlier = cursors.length > 0;
  return (
    <div class="actions pager">
      {button('first', earlier ? [] : undefined)}
      {button('previous', earlier ? cursors.slice(0, -1) : undefined)}
      {button('more', next ? [...cursors, next] : undefined)}
      <span class="faint">{t('page', { number: number(cursors.length + 1) })}</span>
    </div>
  );
}
