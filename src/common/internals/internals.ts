import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

const fromOutside = new WeakSet<object>();

/** Marks a request that anybody may have sent: its answer must not tell of the inside, such as how many nodes are up. */
export function hideInternals(request: object): void {
  fromOutside.add(request);
}

/** Whether an answer may tell of the inside, as a parameter: `@MayTellInternals() mayTell: boolean`. */
export const MayTellInternals = createParamDecorator(
  (_: unknown, context: ExecutionContext): boolean =>
    !fromOutside.has(context.switchToHttp().getRequest<object>()),
);
