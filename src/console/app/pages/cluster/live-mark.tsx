import { useTexts } from '../../texts';

/** Whether the page follows the cluster. */
export function LiveMark({ isLive }: { isLive: boolean | undefined }) {
  const { t } = useTexts();
  return (
    <span role="status" class={`mark ${isLive ? 'good' : ''}`}>
      {t(isLive ? 'live' : 'connecting')}
    </span>
  );
}
