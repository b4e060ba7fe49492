import { useEffect, useState } from 'preact/hooks';

import { usePermissions } from './api';
import { useTexts, type TextKey } from './texts';

const VIEWS: readonly (readonly [path: string, text: TextKey, permission?: string])[] = [
  ['account', 'account'],
  ['users', 'users', 'users:read'],
  ['changes', 'changes', 'cluster:read'],
  ['cluster', 'cluster', 'cluster:read'],
  ['audit', 'audit', 'audit:read'],
  ['keys', 'keys', 'keys:read'],
  ['service-accounts', 'serviceAccounts', 'service-accounts:read'],
];

/** The path of a view is in the fragment of the URL, which browsers send to no server. */
export function usePath(): string {
  const [path, setPath] = useState(location.hash.slice(1));
  useEffect(() => {
    const follow = (): void => {
      setPath(location.hash.slice(1));
      // For readers of screens: the new view is read from its beginning.
      document.querySelector('main')?.focus();
    };
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);
  return path;
}

/** @returns the permission that a view needs, if it needs one */
export function permissionOf(view: string): string | undefined {
  return VIEWS.find(([path]) => path === view)?.[2];
}

export function Navigation() {
  const { t } = useTexts();
  const permissions = usePermissions();
  const current = usePath().split('/')[1] || 'account';
  const shown = VIEWS.filter(([, , needed]) => needed === undefined || permissions?.has(needed));
  useEffect(() => {
    const name = VIEWS.find(([path]) => path === current)?.[1] ?? 'account';
    document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest' });
    document.title = `${t(name)} – Keyslot`;
  });
  return (
    <nav aria-label="Keyslot">
      {shown.map(([path, text]) => (
        <a key={path} href={`#/${path}`} aria-current={path === current ? 'page' : undefined}>
          {t(text)}
        </a>
      ))}
    </nav>
  );
}
