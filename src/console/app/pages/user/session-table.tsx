import type { Session } from '../../api';
import { useTexts } from '../../texts';
import { Table } from '../../ui';
import { deviceOf } from './device';

interface SessionTableProps {
  readonly sessions: readonly Session[];
  readonly end?: (session: Session) => void;
}

export function SessionTable({ sessions, end }: SessionTableProps) {
  const { t, time } = useTexts();
  return (
    <Table
      label={t('sessions')}
      head={['device', 'address', 'started', 'lastUsed', ...(end ? (['actions'] as const) : [])]}
      rows={sessions.map((session) => ({
        key: session.id,
        cells: [
          <>
            <span title={session.userAgent}>{deviceOf(session.userAgent) || '–'}</span>
            {session.current && <strong> ({t('thisSession')})</strong>}
          </>,
          session.ip,
          time(session.createdAt),
          time(session.lastUsedAt),
          ...(end
            ? [
                !session.current && (
                  <button type="button" onClick={() => end(session)}>
                    {t('end')}
                  </button>
                ),
              ]
            : []),
        ],
      }))}
    />
  );
}
