import { randomUUID } from 'node:crypto';

import { expectStatus } from '../support/bad-input.js';
import { GOOD_PASSWORD, type TestUser } from '../support/http-client.js';
import { Instance } from '../support/instance.js';

/**
 * Requirement 79: all spellings of a name are one account, and the text of a name is harmless where it is displayed.
 */
describe('a name in Unicode', () => {
  let api: Instance;
  let user: TestUser;
  beforeAll(async () => {
    api = await Instance.start({ LOG_LEVEL: 'info', REDIS_KEY_PREFIX: `t-${randomUUID()}:` });
    user = await api.newUser('caf\u00e9-Stra\u00dfe-office');
  });
  afterAll(async () => api.stop());

  it.each([
    ['in capitals', 'CAF\u00c9-STRASSE-OFFICE'],
    ['in small letters', 'caf\u00e9-stra\u00dfe-office'],
    ['with a capital sharp s', 'caf\u00e9-STRA\u1e9eE-office'],
    ['decomposed', 'cafe\u0301-stra\u00dfe-office'],
    ['with a ligature', 'caf\u00e9-stra\u00dfe-o\ufb03ce'],
    ['with a long s', 'caf\u00e9-\u017ftra\u017f\u017fe-office'],
    ['in wide letters', 'ｃａｆ\u00e9－ｓｔｒａｓｓｅ－ｏｆｆｉｃｅ'],
    ['in mathematical letters', 'caf\u00e9-\u{1d42c}trasse-\u{1d428}ffice'],
    ['in letters in circles', 'caf\u00e9-\u24e2trasse-\u24deffice'],
    ['with zero-width spaces', 'ca\u200bf\u00e9-stra\u00dfe\u200d-of\u2060fice\ufeff'],
    ['with a soft hyphen', 'caf\u00e9-stra\u00ad\u00dfe-office'],
    ['with a joiner of graphemes', 'caf\u00e9-\u034fstra\u00dfe-office'],
    ['with variation selectors', 'c\ufe0faf\u00e9-stra\u00dfe-office\u{e0100}'],
    ['with tags', 'caf\u00e9-stra\u00dfe-office\u{e0061}\u{e007f}'],
    ['turned around', '\u202ecaf\u00e9-stra\u00dfe-office\u202c'],
    ['with space around it', '\u2003 caf\u00e9-stra\u00dfe-office\u00a0\t\n'],
    ['with Hangul fillers', '\u3164caf\u00e9-stra\u00dfe-office\u115f'],
  ])('belongs to the same account %s (79)', async (_, spelling) => {
    const taken = await api.register(spelling);
    expect(taken.status).toBe(409);
    expect(taken.body).toMatchObject({ code: 'username-taken' });

    const { status, body } = await api.login(spelling);
    expect(status).toBe(200);
    expect((await api.ownUser(body.access_token)).body).toMatchObject({ id: user.id });
  });

  it.each(["o'brien", 'བསྟན་འཛིན', 'ᠪᠠᠲᠤ'])('registers and logs in: %s', async (name) => {
    const { id, username } = await api.newUser(name);

    const { status, body } = await api.login(username.replace("'", '\u2019').concat('\u200b'));
    expect(status).toBe(200);
    expect((await api.ownUser(body.access_token)).body).toMatchObject({ id, username: name });
    for (const apostrophe of ['\u2019', '\u02bc', '\uff07']) {
      expect((await api.register(name.replace("'", apostrophe))).status).toBe(409);
    }
  });

  it.each([
    ['a Cyrillic letter among Latin ones', 'c\u0430fe-strasse', 'mixed-scripts'],
    ['a Greek letter among Latin ones', 'strasse-\u03bfffice', 'mixed-scripts'],
    ['a Greek letter among Cyrillic ones', '\u043a\u03b1\u0444\u0435', 'mixed-scripts'],
    ['a line separator', 'ada\u2028lovelace', 'name-characters'],
    ['a control character', 'ada\u009blovelace', 'name-characters'],
    ['an escape', 'ada\u001b[31mlovelace', 'name-characters'],
    ['a private character', 'ada\ue000', 'name-characters'],
    ['a character that is none', 'ada\uffff', 'name-characters'],
    ['a replacement character', 'ada\ufffd', 'name-characters'],
    ['an unassigned character', 'ada\u0378', 'name-characters'],
    ['an emoji', 'ada\u{1f600}', 'name-characters'],
    ['marks alone', '\u0301\u0308', 'name-characters'],
    ['only zero-width characters', '\u200b\u2060\u3164', 'too-short'],
    ['65 letters of two units', '\u{20000}'.repeat(65), 'too-long'],
    ['a letter that is written as 18', '\ufdfa'.repeat(3), 'name-characters'],
    ['a letter that is written as three', '\ufb03'.repeat(22), 'too-long'],
    ['257 characters that cannot be seen', `ada${'\u200b'.repeat(257)}`, 'too-long'],
  ])('is refused with %s (79)', async (_, username, code) => {
    const answer = await api.register(username);

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ errors: [{ pointer: '/username', code }] });
    expect((await api.login(username)).status).toBe(401);
  });

  it.each(['ada\ud800', '\udc00ada'])(
    'is refused with half of a surrogate pair, at login as well: %j (79)',
    async (username) => {
      const errors = [{ pointer: '/username', code: 'lone-surrogate' }];

      for (const answer of [await api.register(username), await api.login(username)]) {
        expect(answer).toMatchObject({ status: 400, body: { errors } });
      }
    },
  );

  it('is never truncated: a name that is too long logs nobody in (79)', async () => {
    const long = `${user.username}${'\u200b'.repeat(300)}x`;
    expect((await api.register(long)).status).toBe(400);
    expect((await api.login(long)).status).toBe(401);
  });

  it.each([
    ['a line break', 'Ada\nBcc: all@example.com'],
    ['a carriage return', 'Ada\rBcc: all@example.com'],
    ['an escape', '\u001b]0;owned\u0007'],
    ['a NUL', 'Ada\0'],
    ['a line separator', 'Ada\u2028'],
    ['a turn around', 'Ada \u202egpj.exe'],
    ['an isolate', 'Ada \u2066gpj.exe'],
    ['half of a character', 'Ada \ud83d'],
    ['the other half', '\ude00'],
  ])('is refused as display name with %s, like an e-mail address (79)', async (_, text) => {
    const { access_token: token } = (await api.login(user.username)).body;
    const mailbox = text.replaceAll(' ', '');
    const members = [{ displayName: text }, { email: `${mailbox}@example.com` }];
    for (const body of [...members, { email: `a@example.com${text}` }]) {
      const answer = await api.request('PATCH', '/api/user', { token, body });
      expectStatus({ body }, answer.status, 400);
    }
    expect((await api.ownUser(token)).body).toMatchObject({ email: null, displayName: null });
  });

  it('cannot inject a line into the log, and is not logged (79)', async () => {
    const line = `{"level":"fatal","msg":"forged-${randomUUID()}"}`;
    const name = `nobody\n${line}\r\n`;
    await api.login(name, GOOD_PASSWORD);
    await api.register(name);
    await api.request('GET', `/api/${encodeURIComponent(name)}`, {
      headers: { 'user-agent': line, 'x-forwarded-for': line, 'accept-language': line },
    });

    await api.audited('logged-in');

    expect(api.output()).not.toContain('forged-');
    expect(api.output()).not.toContain(user.username);
  });
});
