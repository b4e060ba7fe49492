import { useQueryClient } from '@tanstack/preact-query';
import { useEffect, useState } from 'preact/hooks';

import {
  renew,
  signOut,
  useLanguageOfApi,
  usePermissions,
  whenSessionEnds,
  type SessionEnd,
} from './api';
import { Navigation, permissionOf, usePath } from './navigation';
import { Account } from './pages/account';
import { AuditPage } from './pages/audit';
import { ChangesPage } from './pages/changes';
import { ClusterPage } from './pages/cluster';
import { KeysPage } from './pages/keys';
import { ServiceAccountPage } from './pages/service-accounts/account';
import { ServiceAccountsPage } from './pages/service-accounts';
import { SignIn } from './pages/sign-in';
import { UserPage } from './pages/user';
import { Users } from './pages/users';
import { LanguageContext, TEXTS, useTexts, type TextKey } from './texts';
import { initialLanguage, keepLanguage } from './texts/chosen-language';
import { ProblemNotice, Reauthentication, useAction } from './ui';

const NOTICES: Readonly<Record<SessionEnd, TextKey>> = {
  ended: 'sessionEnded',
  deleted: 'accountDeleted',
};

export function App() {
  const [language, setLanguage] = useState(initialLanguage);
  const [state, setState] = useState<'starting' | 'out' | 'in' | SessionEnd>('starting');
  const queries = useQueryClient();
  const { error, run } = useAction();
  const t = TEXTS[language];
  useLanguageOfApi(language);
  const start = (): void =>
    run(async () => renew().then((isSignedIn) => setState(isSignedIn ? 'in' : 'out')));
  useEffect(() => {
    whenSessionEnds((cause) => {
      queries.clear();
      setState(cause);
    });
    // Browsers do not store the cookie otherwise, and have no Web Locks.
    if (isSecureContext) {
      start();
    }
  }, []);
  const hasEnded = state === 'ended' || state === 'deleted';
  useEffect(() => {
    // What had the focus is gone.
    if (hasEnded) {
      document.querySelector('main')?.focus();
    }
  }, [hasEnded]);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }, [language]);
  const leave = (): void =>
    run(async () => {
      await signOut();
      queries.clear();
      setState('out');
    });
  return (
    <LanguageContext.Provider value={language}>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.querySelector('main')?.focus();
        }}
      >
        {t.skip}
      </a>
      <header>
        <strong>Keyslot</strong>
        {state === 'in' ? <Navigation /> : <nav />}
        <button
          type="button"
          class="quiet"
          lang={language === 'en' ? 'zh-CN' : 'en'}
          onClick={() => {
            const next = language === 'en' ? 'zh' : 'en';
            keepLanguage(next);
            setLanguage(next);
          }}
        >
          {t.language}
        </button>
        {state === 'in' && (
          <button type="button" class="quiet" onClick={leave}>
            {t.signOut}
          </button>
        )}
      </header>
      <main tabIndex={-1} class={state === 'in' ? '' : 'narrow'}>
        {!isSecureContext && <p class="notice problem">{t.needsHttps}</p>}
        <ProblemNotice error={error} {...(state === 'starting' ? { retry: start } : {})} />
        {state === 'starting' && isSecureContext && !error && <p class="faint">{t.loading}</p>}
        {(state === 'out' || hasEnded) && (
          <SignIn
            {...(hasEnded ? { notice: NOTICES[state] } : {})}
            done={() => {
              setState('in');
              document.querySelector('main')?.focus();
            }}
          />
        )}
        {state === 'in' && (
          <Reauthentication>
            <View />
          </Reauthentication>
        )}
      </main>
    </LanguageContext.Provider>
  );
}

/** Of a user or a service account. In the path of a call, `..` would be another route. */
const ID = /^[\da-f-]{36}$/i;

function View() {
  const path = usePath();
  const [, view = 'account', given = ''] = path.split('/');
  const id = ID.test(given) ? given : undefined;
  const { t } = useTexts();
  const permissions = usePermissions();
  const needed = permissionOf(view);
  if (needed !== undefined && permissions?.has(needed) === false) {
    return <p class="notice problem">{t('noPermission')}</p>;
  }
  switch (view) {
    case 'users':
      return id === undefined ? <Users /> : <UserPage key={id} id={id} />;
    case 'cluster':
      return <ClusterPage />;
    case 'changes':
      return <ChangesPage />;
    case 'audit':
      return <AuditPage key={id} user={id ?? ''} />;
    case 'keys':
      return <KeysPage />;
    case 'service-accounts':
      return id === undefined ? <ServiceAccountsPage /> : <ServiceAccountPage key={id} id={id} />;
    default:
      return <Account />;
  }
}
