import type { Instance } from '../../api';

/** @param holderId the id with which an instance holds users */
export function nameOf(holderId: string, instances: readonly Instance[]): string | undefined {
  const found = instances.find((instance) => instance.holderId === holderId);
  return found && `${found.service ?? 'Keyslot'} ${found.host}, ${found.processId}`;
}
