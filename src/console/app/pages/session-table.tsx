import type { Session } from '../api';
import { useTexts } from '../texts';

export function SessionTable({
  sessions,
  end,
}: {
  sessions: readonly Session[];
  end?: (id: string) => void;
}) {
  const { t, time } = useTexts();
  if (sessions.length === 0) {
    return <p class="faint">{t('none')}</p>;
  }
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t('sessions')}>
      <table>
        <thead>
          <tr>
            <th>{t('device')}</th>
            <th>{t('address')}</th>
            <th>{t('started')}</th>
            <th>{t('lastUsed')}</th>
            {end && <th>{t('end')}</th>}
          </tr>
        </thead>
        <tbody>
          {sessions.map(({ id, userAgent, ip, createdAt, lastUsedAt, current }) => (
            <tr key={id}>
              <td class="name">
                {userAgent}
                {current && <strong> ({t('thisSession')})</strong>}
              </td>
              <td>{ip}</td>
              <td>{time(createdAt)}</td>
              <td>{time(lastUsedAt)}</td>
              {end && (
                <td>
                  {!current && (
                    <button type="button" onClick={() => end(id)}>
                      {t('end')}
                    </button>
                  )}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
