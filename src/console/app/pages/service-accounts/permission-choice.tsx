import { usePermissions } from '../../api';
import { useTexts } from '../../texts';
import { Choices, Field } from '../../ui';

export interface Chosen {
  readonly listed: readonly string[];
  /** Names separated by commas. */
  readonly further: string;
}

interface PermissionChoiceProps {
  readonly chosen: Chosen;
  readonly change: (chosen: Chosen) => void;
}

/** The own permissions, because nobody can give others, and those that only services of the company know. */
export function PermissionChoice({ chosen, change }: PermissionChoiceProps) {
  const { t } = useTexts();
  const permissions = usePermissions();
  return (
    <>
      <Choices
        legend={t('permissions')}
        options={[...(permissions ?? [])]}
        chosen={chosen.listed}
        change={(listed) => change({ ...chosen, listed })}
      />
      <Field
        label={t('morePermissions')}
        value={chosen.further}
        onInput={({ currentTarget }) => change({ ...chosen, further: currentTarget.value })}
      />
    </>
  );
}
