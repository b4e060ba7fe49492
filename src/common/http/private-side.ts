import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { RequestState } from './request-state.js';

/** Whether the answer must not tell of the inside, such as how many nodes are up: anybody may have sent the request. */
export const HIDES_INTERNALS = new RequestState<boolean>('hidesInternals');

/** Whether an answer may tell of the inside, as a parameter: `@MayTellInternals() mayTell: boolean`. */
export const MayTellInternals = createParamDecorator(
  (_: unknown, context: ExecutionContext): boolean =>
    HIDES_INTERNALS.get(context.switchToHttp().getRequest<object>()) !== true,
);
