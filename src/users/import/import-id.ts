import { createHash } from 'node:crypto';

/**
 * The id of an imported user without an id of its own: a name-based UUID (RFC 9562 appendix B.2). Each import of the record gives
 * the same id, so that a repeated import finds its users.
 */
export function importId(
  format: string,
  sourceId: string | undefined,
  usernameKey: string,
): string {
  const name = JSON.stringify(['keyslot-import', format, sourceId ?? null, usernameKey]);
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
