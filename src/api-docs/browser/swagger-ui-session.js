// Runs in the page before Swagger UI is built. The page then uses the token of the last login automatically, the example of
// a registration is unique per page load, and requests go to the origin of the page. Only Swagger UI stores tokens.
(() => {
  'use strict';

  const SCHEME = 'bearer';
  /** Operations that revoke the token. */
  const ENDS_SESSION = ['logout', 'deleteOwnUser'];
  const REFRESH = 'refreshTokens';
  const EXAMPLE_NAME = 'ada';
  const EXAMPLE_EMAIL = 'ada@example.com';

  // The page of @nestjs/swagger has no viewport. Without one, a phone lays it out as wide as on a desktop.
  const viewport = { name: 'viewport', content: 'width=device-width' };
  document.head.append(Object.assign(document.createElement('meta'), viewport));

  const build = window.SwaggerUIBundle;
  window.SwaggerUIBundle = Object.assign(
    (options) =>
      build({
        ...options,
        spec: forThisPage(options.spec),
        plugins: [...options.plugins, sessionPlugin],
      }),
    build,
  );

  /** Sets the server URL from the page, which knows the prefix that a proxy strips. */
  function forThisPage(spec) {
    const page = window.location;
    const base = page.origin + page.pathname.replace(/\/docs(?:\/(?:index\.html)?)?$/, '');
    return { ...withFreshName(spec), servers: [{ url: base }] };
  }

  /** Makes the example user unique, because the name may be taken. */
  function withFreshName(spec) {
    const [number] = window.crypto.getRandomValues(new Uint32Array(1));
    const name = `${EXAMPLE_NAME}-${number.toString(36)}`;
    const fresh = new Map([
      [EXAMPLE_NAME, name],
      [EXAMPLE_EMAIL, `${name}@example.com`],
    ]);
    return JSON.parse(JSON.stringify(spec), (key, value) =>
      key === 'example' ? (fresh.get(value) ?? value) : value,
    );
  }

  function sessionPlugin() {
    return {
      statePlugins: {
        spec: {
          wrapActions: {
            setResponse: (original, system) => (path, method, response) => {
              const result = original(path, method, response);
              onResponse(system, { path, method, response });
              return result;
            },
          },
        },
      },
    };
  }

  function onResponse(system, { path, method, response: { err, ...succeeded } }) {
    const { authActions, authSelectors, specSelectors } = system;
    // Swagger UI wraps responses with status 400 and above in an error. A network error has no response.
    const response = err ? (err.response ?? {}) : succeeded;
    const answer = response.body ?? {};
    if (response.ok && answer.token_type === 'Bearer' && answer.access_token) {
      const schema = specSelectors.securityDefinitions().get(SCHEME);
      const value = answer.access_token;
      authActions.authorizeWithPersistOption({ [SCHEME]: { name: SCHEME, schema, value } });
      fillInRefreshToken(system, answer.refresh_token);
      return;
    }
    const operation = specSelectors.specJson().getIn(['paths', path, method, 'operationId']);
    const hasEnded = response.ok && ENDS_SESSION.includes(operation);
    const isRefused = response.status === 401 && answer.code === 'invalid-token';
    if ((hasEnded || isRefused) && authSelectors.authorized().has(SCHEME)) {
      authActions.logoutWithPersistOption([SCHEME]);
    }
  }

  /** Refresh tokens are single use, so the latest one replaces the example. */
  function fillInRefreshToken({ oas3Actions, specSelectors }, token) {
    if (!token) {
      return;
    }
    const value = JSON.stringify({ refresh_token: token }, null, 2);
    specSelectors
      .specJson()
      .get('paths')
      .forEach((methods, path) => {
        if (methods.getIn(['post', 'operationId']) === REFRESH) {
          const pathMethod = [path, 'post'];
          // Otherwise the example overwrites the value when the operation is opened.
          oas3Actions.setRetainRequestBodyValueFlag({ value: true, pathMethod });
          oas3Actions.setRequestBodyValue({ value, pathMethod });
        }
      });
  }
})();
