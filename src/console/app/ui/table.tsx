import type { ComponentChildren } from 'preact';

import { useTexts, type TextKey } from '../texts';

export interface Row {
  readonly key: string;
  readonly cells: readonly ComponentChildren[];
}

interface TableProps {
  readonly label: string;
  readonly head: readonly TextKey[];
  readonly rows: readonly Row[];
  readonly empty?: TextKey;
}

/** A table that scrolls sideways on a narrow screen, also by keyboard. */
export function Table({ label, head, rows, empty = 'none' }: TableProps) {
  const { t } = useTexts();
  if (rows.length === 0) {
    return <p class="faint">{t(empty)}</p>;
  }
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {t(name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells }) => (
            <tr key={key}>
              {cells.map((cell, column) => (
                <td key={column} class={column === 0 ? 'name' : ''}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
