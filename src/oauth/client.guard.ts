import {
  createParamDecorator,
  Injectable,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import type { Principal } from '../common/authentication/index.js';
import { deadlineOf } from '../common/deadline/index.js';
import { OAuthError, RequestState } from '../common/http/index.js';
import { originOf } from '../common/origin/index.js';
import { Problem } from '../common/problem/index.js';
import type { AccountCredentials } from '../service-accounts/index.js';
import { ClientAuthentication } from './client-authentication.js';
import type { Form } from './form-fields.js';
import { presentedCredentials } from './presented-credentials.js';

const CLIENT = new RequestState<AccountCredentials>('client');

/** The authenticated service account, as a parameter: `@CurrentClient() client: AccountCredentials`. */
export const CurrentClient = createParamDecorator(
  (_: unknown, context: ExecutionContext): AccountCredentials | undefined =>
    CLIENT.get(context.switchToHttp().getRequest<object>()),
);

/** Requires the credentials of a service account. */
@Injectable()
export class ClientGuard implements CanActivate {
  constructor(private readonly authentication: ClientAuthentication) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context
      .switchToHttp()
      .getRequest<FastifyRequest & { readonly user?: Principal }>();
    const credentials = presentedCredentials(request.raw, request.body as Form);
    if (credentials.kind === 'invalid') {
      throw new OAuthError('invalid_request', credentials.description);
    }
    const result = await this.authentication.authenticate(
      credentials,
      originOf(request),
      deadlineOf(request),
    );
    switch (result.outcome) {
      case 'authenticated':
        CLIENT.set(request, result.client);
        return true;
      case 'refused':
        throw new OAuthError(
          'invalid_client',
          'The client is unknown, or its credentials are wrong.',
        );
      case 'too-many-attempts':
        throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
    }
  }
}
