// Runs in the page before Swagger UI is built. The page then uses the token of the last login automatically, the example of
// a registration is unique per page load, and requests go to the origin of the page. Only Swagger UI stores tokens.
(() => {
  'use strict';

  const SCHEME = 'bearer';
  /** Operations that revoke the token. */
  const ENDS_SESSION = ['logout', 'deleteOwnUser'];
  const REFRESH = 'refreshTokens';
  const SECOND_STEP = 'finishLogin';
  const ADD_TOTP = 'addTotp';
  const CONFIRM_TOTP = 'confirmTotp';
  /** Stands for the code that the authenticator application shows. */
  const EXAMPLE_CODE = '287082';
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
      if (answer.refresh_token) {
        // Refresh tokens are single use, so the latest one replaces the example.
        fillIn(system, REFRESH, { refresh_token: answer.refresh_token });
      }
      return;
    }
    if (answer.code === 'second-factor-required' && answer.challenge) {
      fillIn(system, SECOND_STEP, { challenge: answer.challenge, code: EXAMPLE_CODE });
    }
    const operation = specSelectors.specJson().getIn(['paths', path, method, 'operationId']);
    if (response.ok && operation === ADD_TOTP) {
      fillIn(system, CONFIRM_TOTP, { id: answer.id, code: EXAMPLE_CODE });
    }
    const hasEnded = response.ok && ENDS_SESSION.includes(operation);
    const isRefused = response.status === 401 && answer.code === 'invalid-token';
    if ((hasEnded || isRefused) && authSelectors.authorized().has(SCHEME)) {
      authActions.logoutWithPersistOption([SCHEME]);
    }
  }

  /** Replaces the example of the body of an operation with POST. */
  function fillIn({ oas3Actions, specSelectors }, operationId, body) {
    const value = JSON.stringify(body, null, 2);
    specSelectors
      .specJson()
      .get('paths')
      .forEach((methods, path) => {
        if (methods.getIn(['post', 'operationId']) === operationId) {
          const pathMethod = [path, 'post'];
          // Otherwise the example overwrites the value when the operation is opened.
          oas3Actions.setRetainRequestBodyValueFlag({ value: true, pathMethod });
          oas3Actions.setRequestBodyValue({ value, pathMethod });
        }
      });
  }
})();
