const NAME = '__Host-keyslot-console';
const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Strict';
const PATTERN = new RegExp(`(?:^|; *)${NAME}=([\\w.-]{1,500})(?:;|$)`);

/**
 * The refresh token of the console. Only the routes of the console read this cookie. It has no lifetime, so a browser deletes it when
 * it closes. Browsers accept `Secure` cookies only over HTTPS, and most also from `localhost`.
 */
export const RefreshCookie = {
  /** @returns the value of a `Set-Cookie` header */
  of: (refreshToken: string): string => `${NAME}=${refreshToken}; ${ATTRIBUTES}`,
  none: `${NAME}=; Max-Age=0; ${ATTRIBUTES}`,
  /** @param header the request's `Cookie` header */
  read: (header: string | undefined): string | undefined => PATTERN.exec(header ?? '')?.[1],
} as const;
