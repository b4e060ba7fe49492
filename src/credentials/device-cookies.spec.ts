import { Clock } from '../common/clock/index.js';
import { Secret } from '../common/secret/index.js';
import { canonicalUsername } from '../users/index.js';
import { proofGeneration } from './caller.js';
import { DeviceCookies } from './device-cookies.js';

class MovedClock extends Clock {
  offsetMs = 0;
  override wall(): number {
    return super.wall() + this.offsetMs;
  }
}

const SECRET = 'a secret of more than 32 characters';
const LIFE_MS = 90 * 24 * 3600 * 1000;

const cookies = (isHttps = true, clock = new MovedClock(), secret = SECRET): DeviceCookies =>
  new DeviceCookies(
    clock,
    { canonicalName: canonicalUsername },
    { secret: new Secret(secret), isHttps },
  );
const user = (
  username: string,
  passwordVersion = 1,
  createdAt = new Date(1_800_000_000_000),
): Parameters<DeviceCookies['issue']>[0] => ({ username, passwordVersion, createdAt });
/** The cookie header that a client sends after a `Set-Cookie` header. */
const sent = (header: string): string => header.split(';')[0]!;

describe('a device cookie', () => {
  it('is bound to its host, and hidden from scripts and other sites, over HTTPS', () => {
    expect(cookies().issue(user('ada'))).toMatch(
      /^__Host-keyslot-device=[\w-]{22}\.[0-9a-z]+\.[0-9a-z]+\.[\w-]{43}; Path=\/; Max-Age=7776000; HttpOnly; SameSite=Strict; Secure$/,
    );
  });

  it('is accepted by browsers over plain HTTP, as in development', () => {
    const header = cookies(false).issue(user('ada'));

    expect(header).toMatch(/^keyslot-device=/);
    expect(header).toMatch(/HttpOnly; SameSite=Strict$/);
    expect(cookies(false).recognize(sent(header), 'ada')).toBeDefined();
    expect(cookies(true).recognize(sent(header), 'ada')).toBeUndefined();
  });

  it('is recognized among other cookies, for any spelling of the name, and is different each time', () => {
    const issuer = cookies();
    const [one, other] = [
      issuer.issue(user('Ada-Lovelace')),
      issuer.issue(user('ADA-LOVELACE')),
    ].map(sent);

    const device = issuer.recognize(`theme=dark; ${one}; lang=en`, 'ada-lovelace');

    expect(device?.id).toMatch(/^[\w-]{22}$/);
    expect(issuer.recognize(other, 'ada-lovelace')?.id).not.toBe(device?.id);
    expect(one).not.toMatch(/lovelace/i);
  });

  it.each<[string, (cookie: string) => string]>([
    ['another id', (cookie) => cookie.replace(/=(.)/, (_, first) => (first === 'A' ? '=B' : '=A'))],
    [
      'another time',
      (cookie) => cookie.replace(/\.(\w)/, (_, first) => (first === 't' ? '.u' : '.t')),
    ],
    [
      'another generation',
      (cookie) =>
        cookie.replace(
          /\.(\w)([^.]*\.[^.]*)$/,
          (_, first, rest) => `.${first === 't' ? 'u' : 't'}${rest}`,
        ),
    ],
    [
      'no generation, as in older versions',
      (cookie) => cookie.replace(/\.[0-9a-z]+(\.[^.]*)$/, '$1'),
    ],
    ['another tag', (cookie) => cookie.replace(/\.([^.]*)$/, `.${'A'.repeat(43)}`)],
    ['a shorter tag', (cookie) => cookie.slice(0, -1)],
    ['a name in front', (cookie) => `x${cookie}`],
    ['nothing', () => ''],
  ])('with %s is refused', (_, forge) => {
    const issuer = cookies();

    expect(issuer.recognize(forge(sent(issuer.issue(user('ada')))), 'ada')).toBeUndefined();
  });

  it('is refused for another account, and with another secret key', () => {
    const cookie = sent(cookies().issue(user('ada')));

    expect(cookies().recognize(cookie, 'grace')).toBeUndefined();
    expect(cookies(true, new MovedClock(), `${SECRET}, changed`).recognize(cookie, 'ada')).toBe(
      undefined,
    );
    expect(cookies().recognize(undefined, 'ada')).toBeUndefined();
  });

  it('says whether it is that of a reset, and the client cannot change that', () => {
    const issuer = cookies();
    const [login, reset] = [false, true].map((isByReset) =>
      sent(issuer.issue(user('ada'), isByReset)),
    ) as [string, string];
    const recognized = (cookie: string) => issuer.recognize(cookie, 'ada');

    expect(recognized(login)).toMatchObject({ isByReset: false });
    expect(recognized(reset)).toMatchObject({
      isByReset: true,
      generation: recognized(login)!.generation,
    });
    expect(recognized(reset)!.id).toMatch(/^[\w-]{22}$/);
    expect(recognized(reset.replace('.r.', '.'))).toBeUndefined();
    expect(recognized(login.replace('.', '.r.'))).toBeUndefined();
  });

  it('expires after 90 days, even if the browser keeps it', () => {
    const clock = new MovedClock();
    const cookie = sent(cookies(true, clock).issue(user('ada')));

    clock.offsetMs = LIFE_MS - 5000;
    expect(cookies(true, clock).recognize(cookie, 'ada')).toBeDefined();
    clock.offsetMs = LIFE_MS + 1000;
    expect(cookies(true, clock).recognize(cookie, 'ada')).toBeUndefined();
  });

  it.each([
    ['a new password', user('ada', 2)],
    ['a new account of the same name', user('ada', 1, new Date(1_800_000_000_500))],
  ])('contains its generation, which changes after %s', (_, changed) => {
    const generations = [user('ada'), user('ada'), changed].map(
      (one) => cookies().recognize(sent(cookies().issue(one)), 'ada')?.generation,
    );

    expect(generations[0]).toBe(proofGeneration(user('ada')));
    expect(generations[1]).toBe(generations[0]);
    expect(generations[2]).toBeGreaterThan(generations[0]!);
  });
});
