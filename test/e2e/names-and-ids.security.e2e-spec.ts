import { randomUUID } from 'node:crypto';

import { expectStatus, startBadInput, type BadInput } from '../support/bad-input.js';
import { GOOD_PASSWORD } from '../support/http-client.js';
import { rawHttp, rawRequest, statusOf } from '../support/raw-http.js';
import { dumpKeys } from '../support/redis.js';

/** Text with a special meaning for Redis, a line protocol, a path or a pattern. */
const SIGNS = [
  '*',
  '?',
  '[a-z]',
  '{}',
  '{',
  '}',
  '{user.1}',
  ':',
  'a:record',
  '}:record',
  '\u2028',
  '😀',
  '\r\n',
  '\n',
  '\r',
  '\0',
  'a\0b',
  '\t',
  ' ',
  '"',
  "'",
  '\\',
  '/',
  '../..',
  '%',
  '$',
  '$1',
  '\r\nFLUSHALL\r\n',
  '*1\r\n$8\r\nFLUSHALL\r\n',
  "') redis.call('FLUSHALL') --",
];
/** Values that could be misread as another type than text. */
const WORDS = ['.', '..', '\u202e', '\ufeff', 'é', 'nil', 'null', 'undefined', 'NaN', '-1', '0'];
const HOSTILE = [...SIGNS, ...WORDS];

/** Requirement 78: client input never becomes part of a key, a slot or a command. */
describe('an id or a name', () => {
  let input: BadInput;
  beforeAll(async () => (input = await startBadInput()));
  afterAll(async () => input.stop());
  // In the form of the key builder: a kind and an id, then the parts.
  afterEach(async () => {
    const { keys } = await dumpKeys(input.api.keyPrefix);
    expect(keys.length).toBeGreaterThan(5);
    const form = /^t-[0-9a-f]{8}:v1:\{[a-z-]+\.[\w-]+\}:[\w-]+(?::[\w-]+)*$/;
    expect(keys.filter((key) => !form.test(key))).toEqual([]);
  });

  it('in a path that is malformed matches nothing, on every route (78)', async () => {
    const { target, operations, api, admin } = input;
    const idsOf = (id: string): string[] => [
      ...HOSTILE.flatMap((text) => [text, id + text, text + id]),
      `${id}}:record`,
      `{${id}}`,
      `${id}.${id}`,
      `${id},${id}`,
      id.replaceAll('-', ''),
      `%${id}`,
      id.slice(1),
      id.replace('-', '–'),
      id.replace(/\d/, '٣'),
      `urn:uuid:${id}`,
      `{${id}`,
    ];
    const authorization = `Authorization: Bearer ${admin.access_token}`;
    await input.expectNothingChanged(async () => {
      for (const { method, path } of operations.filter((one) => one.path.includes('{id}'))) {
        for (const id of idsOf(path.includes('/users/') ? target.id : admin.session_id)) {
          // A dot is encoded as well: unencoded, it would be a path segment.
          const coded = encodeURIComponent(id).replaceAll('.', '%2e');
          const sent = rawRequest(
            method,
            path.replace('{id}', coded),
            [authorization, 'Content-Type: application/json'],
            method === 'PATCH' ? '{"displayName":"Reached"}' : undefined,
          );
          const answer = await rawHttp(api.url, sent);
          expectStatus({ method, path, id }, statusOf(answer), 404);
        }
      }
    });
  });

  it('in a name is refused at registration, and nothing is stored (78)', async () => {
    const { api } = input;
    await input.expectNothingChanged(async () => {
      for (const text of SIGNS) {
        // A single apostrophe between letters is allowed in names, as in o'brien.
        const around = text === "'" ? ["a''b", "'ab"] : [`a${text}b`];
        for (const username of [...around, `{a}${text}`]) {
          const answer = await api.register(username);
          expectStatus({ username }, answer.status, 400);
        }
      }
    });
  });

  it('matches no user at login, with any content (78)', async () => {
    const { api, user } = input;
    await input.expectNothingChanged(async () => {
      for (const [index, text] of HOSTILE.entries()) {
        const username = index % 2 === 0 ? text : `{${user.username}}${text}`;
        const answer = await api.login(username, GOOD_PASSWORD);
        expectStatus({ username }, answer.status, 401);
      }
    });
  });

  it('in a refresh token matches nothing (78)', async () => {
    const { api, user, target } = input;
    const [, , secret, tag] = user.tokens.refresh_token.split('.');
    await input.expectNothingChanged(async () => {
      for (const [index, text] of [...HOSTILE, target.id, randomUUID()].entries()) {
        const ids = index % 2 === 0 ? `${text}.${user.tokens.session_id}` : `${user.id}.${text}`;
        expect((await api.refresh(`${ids}.${secret}.${tag}`)).status).toBe(401);
      }
    });
  });
});
