// Runs in the page of Swagger UI, before it is built. The page then sends the token of the last login by itself, examples
// can be executed once per page load, and requests go to where the page came from. Tokens are kept where Swagger UI keeps
// them, and nowhere else.
(() => {
  'use strict';

  const SCHEME = 'bearer';
  /** Operations after which the token is worth nothing. */
  const ENDS_SESSION = ['logout', 'deleteOwnUser'];
  const REFRESH = 'refreshTokens';
  const EXAMPLE_NAME = 'ada';
  const EXAMPLE_EMAIL = 'ada@example.com';

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

  /** Behind a proxy that takes a prefix away, only the page knows where the API is. */
  function forThisPage(spec) {
    const page = window.location;
    const base = page.origin + page.pathname.replace(/\/docs(?:\/(?:index\.html)?)?$/, '');
    return { ...withFreshName(spec), servers: [{ url: base }] };
  }

  /** Somebody has registered with the example before. */
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
              follow(system, { path, method, response });
              return result;
            },
          },
        },
      },
    };
  }

  function follow(system, { path, method, response: { err, ...succeeded } }) {
    const { authActions, authSelectors, specSelectors } = system;
    // Swagger UI has an answer from 400 up in an error; one that never came is in none.
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

  /** It can be used once. */
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
          // Or the example takes its place when the operation is opened.
          oas3Actions.setRetainRequestBodyValueFlag({ value: true, pathMethod });
          oas3Actions.setRequestBodyValue({ value, pathMethod });
        }
      });
  }
})();
