/** The metadata of the authorization server, RFC 8414 section 3. */
export const METADATA_PATH = '.well-known/oauth-authorization-server';

/** The security scheme in the API description with which service accounts authenticate (`client_secret_basic`). */
export const CLIENT_SECRET_SCHEME = 'clientSecret';
