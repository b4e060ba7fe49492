import { useState } from 'preact/hooks';

import { useCan, useRoleNames } from '../../api';
import { useTexts } from '../../texts';
import { Choices, Form, Section } from '../../ui';

interface UserRolesProps {
  readonly roles: readonly string[];
  readonly save: (roles: readonly string[]) => void;
}

export function UserRoles({ roles, save }: UserRolesProps) {
  const { t } = useTexts();
  const can = useCan();
  const known = useRoleNames();
  const [chosen, setChosen] = useState(roles);
  if (!can('users:write') || known.length === 0) {
    return (
      <Section title={t('roles')}>
        <p>{roles.join(', ') || t('none')}</p>
      </Section>
    );
  }
  // A user keeps the name of a deleted role.
  const names = [...new Set([...known, ...roles])];
  return (
    <Section title={t('roles')}>
      <Form action={t('save')} submit={() => Promise.resolve(save(chosen))}>
        <Choices legend={t('rolesText')} options={names} chosen={chosen} change={setChosen} />
      </Form>
    </Section>
  );
}
