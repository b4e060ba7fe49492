import type { Instance } from '../../api';
import { useTexts } from '../../texts';

/** @returns a function that names the instance which holds users under the given id */
export function useInstanceName(instances: readonly Instance[]): (holderId: string) => string {
  const { t } = useTexts();
  return (holderId) => {
    const found = instances.find((instance) => instance.holderId === holderId);
    return found
      ? t('instanceName', {
          service: found.service ?? 'Keyslot',
          host: found.host,
          id: found.processId,
        })
      : t('unknownInstance');
  };
}
