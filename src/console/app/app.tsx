import { useQuery, useQueryClient } from '@tanstack/preact-query';
import { useEffect, useState } from 'preact/hooks';

import { call, renew, signOut, useLanguageOfApi, whenSessionEnds, type User } from './api';
import { Account } from './pages/account';
import { SignIn } from './pages/sign-in';
import { UserPage } from './pages/user';
import { Users } from './pages/users';
import { LanguageContext, TEXTS, type Language } from './texts';
import { ProblemNotice, useAction } from './ui';

const browserLanguage: Language = navigator.language.startsWith('zh') ? 'zh' : 'en';

/** The path of a view is in the fragment of the URL, which browsers send to no server. */
function usePath(): string {
  const [path, setPath] = useState(location.hash.slice(1));
  useEffect(() => {
    const follow = (): void => setPath(location.hash.slice(1));
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);
  return path;
}

export function App() {
  const [language, setLanguage] = useState(browserLanguage);
  const [state, setState] = useState<'starting' | 'out' | 'in' | 'ended'>('starting');
  const queries = useQueryClient();
  const { error, run } = useAction();
  const t = TEXTS[language];
  useLanguageOfApi(language);
  const start = (): void =>
    run(async () => renew().then((isSignedIn) => setState(isSignedIn ? 'in' : 'out')));
  useEffect(() => {
    whenSessionEnds(() => {
      queries.clear();
      setState('ended');
    });
    start();
  }, []);
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
        {state === 'in' ? <Navigation language={language} /> : <nav />}
        <button
          type="button"
          class="quiet"
          lang={language === 'en' ? 'zh-CN' : 'en'}
          onClick={() => setLanguage(language === 'en' ? 'zh' : 'en')}
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
        <ProblemNotice error={error} {...(state === 'starting' ? { retry: start } : {})} />
        {state === 'starting' && !error && <p class="faint">{t.loading}</p>}
        {(state === 'out' || state === 'ended') && (
          <SignIn hasEnded={state === 'ended'} done={() => setState('in')} />
        )}
        {state === 'in' && <View />}
      </main>
    </LanguageContext.Provider>
  );
}

function Navigation({ language }: { language: Language }) {
  const path = usePath();
  const { data: user } = useQuery({
    queryKey: ['user'],
    queryFn: () => call<User>('GET', 'api/user'),
  });
  const isAt = (prefix: string) => ({
    'aria-current': path.startsWith(prefix) ? ('page' as const) : undefined,
  });
  const t = TEXTS[language];
  return (
    <nav aria-label="Keyslot">
      <a href="#/account" {...isAt('/account')}>
        {t.account}
      </a>
      {user && user.roles.length > 0 && (
        <a href="#/users" {...isAt('/users')}>
          {t.users}
        </a>
      )}
    </nav>
  );
}

function View() {
  const [, view, id] = usePath().split('/');
  if (view !== 'users') {
    return <Account />;
  }
  return id === undefined ? <Users /> : <UserPage key={id} id={id} />;
}
