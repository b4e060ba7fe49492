/** RFC 6749 section 5.2, and the two server errors of section 4.1.2.1. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'server_error'
  | 'temporarily_unavailable';

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
