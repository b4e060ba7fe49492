export interface OAuthOptions {
  /**
   * URL at which clients reach the API, without a trailing slash. Default: the issuer of the tokens, if it is an HTTP URL.
   */
  readonly publicUrl?: string;
}
