import { emailAddress } from '../common/validation/index.js';

/** A name and an address in angle brackets. The name has no characters that need quotes (RFC 5322 section 3.2.3). */
const NAME_AND_ADDRESS = /^[^<>"\\()[\]:;@,\p{Cc}]{0,100}<([^<>]+)>$/u;

/** The URL of an SMTP server. The query `tls=none` is allowed for `smtp:`. */
export function isMailUrl(text: string): boolean {
  if (!URL.canParse(text)) {
    return false;
  }
  const { protocol, hostname, pathname, search, hash } = new URL(text);
  const isPlain = protocol === 'smtp:' && search === '?tls=none';
  return (
    (protocol === 'smtp:' || protocol === 'smtps:') &&
    /^[A-Za-z0-9._:[\]-]+$/.test(hostname) &&
    (pathname === '' || pathname === '/') &&
    (search === '' || isPlain) &&
    hash === '' &&
    hasDecodableCredentials(text)
  );
}

/** Whether a user name or password is sent without encryption. */
export function sendsPlainCredentials(mailUrl: string): boolean {
  const { username, search } = new URL(mailUrl);
  return username !== '' && search === '?tls=none';
}

/** `address`, or `name <address>`. */
export function isSender(text: string): boolean {
  const [, address = text] = NAME_AND_ADDRESS.exec(text) ?? [];
  return emailAddress(address) === undefined;
}

function hasDecodableCredentials(url: string): boolean {
  const { username, password } = new URL(url);
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}
