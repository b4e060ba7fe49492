import { RouteConfig } from '@nestjs/platform-fastify';

import { ContentSecurityPolicy, FormBody, OAuthErrors, routeOptionsOf } from './route-options.js';

@OAuthErrors()
@ContentSecurityPolicy('of the class')
class Routes {
  @FormBody()
  plain(): void {
    // only its decorators matter
  }

  @ContentSecurityPolicy('of the method')
  @RouteConfig({ limit: 3 })
  own(): void {
    // only its decorators matter
  }
}

const { KEY } = RouteConfig({});
const configOf = (method: keyof Routes): unknown =>
  Reflect.getMetadata(
    KEY,
    Object.getOwnPropertyDescriptor(Routes.prototype, method)!.value as object,
  );

describe('the options of a route', () => {
  it('are read from its method and its controller', () => {
    expect(routeOptionsOf(configOf('plain'))).toEqual({
      body: 'form',
      errorFormat: 'oauth',
      contentSecurityPolicy: 'of the class',
    });
  });

  it('of the method override those of the controller, and keep the Fastify config of the application', () => {
    expect(routeOptionsOf(configOf('own'))).toEqual({
      errorFormat: 'oauth',
      contentSecurityPolicy: 'of the method',
    });
    expect(configOf('own')).toMatchObject({ limit: 3 });
  });

  it('are empty without decorators', () => {
    expect(routeOptionsOf(undefined)).toEqual({});
    expect(routeOptionsOf({ url: '/' })).toEqual({});
  });
});
