/** All accounts share a slot, and can be listed in one response. */
export const MAX_SERVICE_ACCOUNTS = 500;
export const NAME_MAX_LENGTH = 100;
export const MAX_AUDIENCES = 20;
export const AUDIENCE_MAX_LENGTH = 200;
/** An old one and a new one, so that a secret can be replaced without an interruption. */
export const MAX_SECRETS = 2;
export const MAX_PUBLIC_KEYS = 5;
/** Instances keep the ids in memory. An account that revokes more tokens before they expire loses all its tokens. */
export const MAX_REVOKED_TOKENS = 500;
/** Longer than any late write (`UNWRITTEN_CHANGE_TTL_MS` in near-cache/scripts/includes/directory.lua). */
export const DELETED_MARK_TTL_MS = 2 * 3_600_000;
