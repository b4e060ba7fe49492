import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { RequestState } from './request-state.js';

/** Whether the response must hide internal details, such as how many Redis nodes are up. Set on the public port in production. */
export const HIDES_DETAILS = new RequestState<boolean>('hidesDetails');

/** Whether the response may show internal details, as a parameter: `@MayShowDetails() mayShowDetails: boolean`. */
export const MayShowDetails = createParamDecorator(
  (_: unknown, context: ExecutionContext): boolean =>
    HIDES_DETAILS.get(context.switchToHttp().getRequest<object>()) !== true,
);
