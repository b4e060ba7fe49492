/** Path of the route that proxies ask whether a request may pass. */
export const FORWARD_AUTH_PATH = 'forward-auth';

const TARGET = /^(?:https?:\/\/[^/?#]*)?\/forward-auth/i;

/**
 * Whether a request target is that of forward auth, or begins like it. A proxy lets a request through when the response is a
 * success, so only the route itself may answer such a target with success.
 */
export function isForwardAuth(target: string): boolean {
  return TARGET.test(target);
}
