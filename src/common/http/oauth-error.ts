/** RFC 6749 section 5.2, the two server errors of section 4.1.2.1, and RFC 8707 section 2. */
export const OAUTH_ERROR_CODES = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'server_error',
  'temporarily_unavailable',
] as const;

export type OAuthErrorCode = (typeof OAUTH_ERROR_CODES)[number];

/** An error of a route with `@OAuthErrors()` that has no problem code in the catalogue. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';

  /**
   * @param description for developers. Only printable ASCII without `"` and `\\` is sent
   * @param status 401 for `invalid_client`, else 400
   */
  constructor(
    readonly code: OAuthErrorCode,
    readonly description: string,
    readonly status = code === 'invalid_client' ? 401 : 400,
  ) {
    super(`${code}: ${description}`);
  }
}
