/** RFC 6749 section 5.2, and two of section 4.1.2.1 for what is not the client's fault. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'server_error'
  | 'temporarily_unavailable';

/** An outcome of a route with `@OAuthErrors()` that no problem of the catalogue stands for. */
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
