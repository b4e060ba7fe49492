import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';

import { call, useCan, type Role } from '../../api';
import { useTexts } from '../../texts';
import { Choices, Form, ProblemNotice, Section } from '../../ui';

interface UserRolesProps {
  readonly roles: readonly string[];
  readonly save: (roles: readonly string[]) => void;
}

export function UserRoles({ roles, save }: UserRolesProps) {
  const { t } = useTexts();
  const can = useCan();
  const mayChange = can('users:write') && can('roles:read');
  const { data, error, refetch } = useQuery({
    queryKey: ['roles'],
    queryFn: () => call<{ items: Role[] }>('GET', 'api/roles'),
    enabled: mayChange,
  });
  const [chosen, setChosen] = useState(roles);
  if (!mayChange || !data) {
    return (
      <Section title={t('roles')}>
        <ProblemNotice error={error} retry={refetch} />
        <p>{roles.join(', ') || t('none')}</p>
      </Section>
    );
  }
  // A user keeps the name of a deleted role.
  const names = [...new Set([...data.items.map(({ name }) => name), ...roles])];
  return (
    <Section title={t('roles')}>
      <Form action={t('save')} submit={() => Promise.resolve(save(chosen))}>
        <Choices legend={t('roles')} options={names} chosen={chosen} change={setChosen} />
      </Form>
    </Section>
  );
}
