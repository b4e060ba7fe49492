import fc, { type Arbitrary } from 'fast-check';

import { typesOf, type Operation, type Schema } from './openapi.js';

/** The sender of a request. A stranger has a made-up token. */
export type Caller = 'nobody' | 'stranger' | 'ordinary' | 'administrator';

/** A generated request, with placeholders for callers and targets. */
export interface DraftRequest {
  readonly caller: Caller;
  /** The token of a stranger. */
  readonly madeUp: string;
  /** `@own@`, `@other@`, or a path segment that is sent unchanged. */
  readonly id: string;
  readonly query: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly contentType: string | undefined;
  /**
   * With the placeholders `@password@`, `@refresh_token@`, `@username@` and `@fresh_name@`; a list of bytes is sent
   * unchanged.
   */
  readonly body: string | readonly number[] | undefined;
}

type Weighted<T> = readonly [weight: number, arbitrary: Arbitrary<T>];
const oneOf = <T>(...choices: Weighted<T>[]): Arbitrary<T> =>
  fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
const among = <T>(...values: T[]): Arbitrary<T> => fc.constantFrom(...values);

const utf16 = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 })
  .map((units) => String.fromCharCode(...units));
const repeated = fc
  .tuple(among('a', ' ', '\0', '\ud800', '\u0301\u0323', '\ufdfa', '"'), among(65, 257, 1025, 9000))
  .map(([text, times]) => text.repeat(times));
const hostileText = oneOf<string>(
  [2, among('', ' ', '\0', '\r\n', '\ud83d', '\ude00', '{}', '*', '../..', '%00', "' OR 1=1 --")],
  [1, among('__proto__', 'constructor', '\u202e', 'null', '1e400', '${7*7}', '<script>', '@a')],
  [1, fc.string({ unit: 'binary' })],
  [1, fc.string({ unit: 'grapheme' })],
  [1, utf16],
  [1, repeated],
);

const anyValue = oneOf<unknown>(
  [2, among<unknown>(null, true, false, 0, -1, 1.5, 1e308, [], {}, [[]], { $ne: '' })],
  [1, fc.jsonValue({ maxDepth: 3 })],
  [1, fc.integer()],
);

/** A value that matches the schema. Members that depend on the caller get the correct value. */
function validValue(name: string, schema: Schema): Arbitrary<unknown> {
  switch (name) {
    case 'password':
    case 'currentPassword':
      return fc.constant('@password@');
    case 'refresh_token':
      return fc.constant('@refresh_token@');
    case 'username':
      return among('@fresh_name@', '@fresh_name@', '@username@');
    case 'email':
      return oneOf<unknown>(
        [2, fc.emailAddress()],
        [2, fc.constant(schema.example)],
        [1, fc.constant(typesOf(schema).includes('null') ? null : schema.example)],
      );
  }
  if (Array.isArray(schema.example)) {
    return fc.subarray([...(schema.example as unknown[])]);
  }
  if (typesOf(schema).length === 0) {
    return fc.constant(schema.example);
  }
  const ofType: Partial<Record<string, Arbitrary<unknown>>> = {
    boolean: fc.boolean(),
    object: fc.constant(schema.example ?? {}),
    null: fc.constant(null),
    string: fc.constant(schema.example ?? 'a text'),
  };
  return fc.oneof(...typesOf(schema).flatMap((type) => ofType[type] ?? []));
}

/** A valid value with an error inserted at the start, in the middle or at the end. */
function corrupted(good: Arbitrary<unknown>): Arbitrary<unknown> {
  const piece = among(
    '\ud83d',
    '\ude00',
    '\0',
    '\n',
    '\u2028',
    '\u200b',
    '\u202e',
    ' ',
    '@',
    '"',
    'é',
  );
  return fc.tuple(good, piece, fc.nat(2)).map(([value, part, place]) => {
    if (typeof value !== 'string') {
      return [value];
    }
    const at = [0, Math.floor(value.length / 2), value.length][place]!;
    return value.slice(0, at) + part + value.slice(at);
  });
}

const strangeName = oneOf<string>(
  [3, among('__proto__', 'constructor', 'prototype', 'toString', 'isAdmin', 'id', 'roles')],
  [3, among('disabled', 'passwordHash', 'email', 'username', 'password', '', 'a.b', 'a[b]')],
  [1, hostileText],
);

type Member = readonly [name: string, value: unknown];

/** Members of an object in any order: most of them valid, some invalid, missing, unknown or duplicated. */
function members(properties: Readonly<Record<string, Schema>>): Arbitrary<Member[]> {
  const known = Object.entries(properties).map(([name, schema]) => {
    const good = validValue(name, schema);
    const value = oneOf<unknown>([8, good], [2, corrupted(good)], [1, hostileText], [1, anyValue]);
    const member = value.map((one): Member => [name, one]);
    return fc.array(member, { minLength: 1, maxLength: 2, size: '-1' }).chain((twice) =>
      // Usually once.
      oneOf<Member[]>([10, fc.constant(twice.slice(0, 1))], [1, among([], twice)]),
    );
  });
  const strange = fc.tuple(strangeName, oneOf<unknown>([1, hostileText], [1, anyValue]));
  const others = oneOf<Member[]>([4, fc.constant([])], [1, fc.array(strange, { maxLength: 3 })]);
  return fc.tuple(...known, others).map((lists) => lists.flat());
}

/** Does not use JSON.stringify, because an object cannot have duplicate members or its own `__proto__` member. */
const asText = (list: readonly Member[]): string =>
  `{${list.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value) ?? 'null'}`).join(',')}}`;

const nested = fc
  .tuple(among('[', '{"a":', '{"roles":[', '{"__proto__":'), among(3, 17, 1000, 6000), fc.boolean())
  .map(([open, levels, isClosed]) => {
    const close = Array.from(open.replace(/[^[{]/g, ''), (sign) => (sign === '[' ? ']' : '}'));
    return open.repeat(levels) + (isClosed ? close.reverse().join('').repeat(levels) : '');
  });

function bodyOf({ body }: Operation): Arbitrary<DraftRequest['body']> {
  const object = members(body?.properties ?? {}).map(asText);
  const cut = fc.tuple(object, fc.nat(200)).map(([text, end]) => text.slice(0, end));
  const bytes = fc.uint8Array({ maxLength: 40 }).map((list) => Array.from(list));
  const otherwiseEncoded = fc
    .tuple(object, among<BufferEncoding>('utf16le', 'latin1'))
    .map(([text, encoding]) => Array.from(Buffer.from(`${text}\u00ff`, encoding)));
  return oneOf<DraftRequest['body']>(
    [body ? 24 : 4, object],
    [body ? 1 : 12, fc.constant(undefined)],
    ...[fc.json(), nested, cut, bytes, otherwiseEncoded, hostileText].map(
      (arbitrary) => [1, arbitrary] as Weighted<DraftRequest['body']>,
    ),
    [1, among('', '\ufeff{}', '{}{}', '[]', 'null', `"${'a'.repeat(70_000)}"`)],
  );
}

const visible = fc.integer({ min: 0x20, max: 0xff }).filter((code) => code < 0x7f || code > 0x9f);
const headerText = fc
  .array(visible, { maxLength: 20 })
  .map((codes) => String.fromCharCode(...codes).trim());

const coded = hostileText.map((text) =>
  Array.from(
    Buffer.from(text).subarray(0, 300),
    (byte) => `%${byte.toString(16).padStart(2, '0')}`,
  ),
);
const id = oneOf<string>(
  [8, among('@own@', '@other@')],
  [2, fc.uuid()],
  [2, coded.map((codes) => codes.join('') || '%20')],
  [2, among('.', '..', '%', '%zz', '*', '@own@;a', '@own@/', '@own@%00', '%2f', '/', '@own@*')],
);

const query = oneOf<string>(
  [6, fc.constant('')],
  [1, fc.webQueryParameters().map((text) => `?${text}`)],
  [1, among('?id=1&id=2', '?__proto__[a]=1', '?%zz', '?a[]=&a[b]=1', '?_method=DELETE', '??')],
);

const field = oneOf<readonly [string, string]>(
  [6, fc.tuple(fc.constant('Accept-Language'), among('zh', 'en', 'de, zh;q=0.1', '*', ';;q=x'))],
  [3, fc.tuple(among('Accept-Language', 'User-Agent', 'Accept', 'Cookie', 'Origin'), headerText)],
  [
    1,
    fc.tuple(
      among('X-HTTP-Method-Override', 'X-Original-URL', 'Expect-CT', 'If-Match'),
      headerText,
    ),
  ],
  [1, fc.tuple(fc.constant('Content-Encoding'), among('gzip', 'identity', 'x'))],
);

const contentType = oneOf<string | undefined>(
  [24, fc.constant('application/json')],
  [1, among(undefined, 'text/plain', 'application/json; charset=utf-8', 'application/json\ta')],
  [1, among('application/x-www-form-urlencoded', 'multipart/form-data; boundary=a', '', '*/*')],
  [1, headerText],
);

/** Requests for one operation: valid ones and hostile ones. */
export function requestsTo(operation: Operation): Arbitrary<DraftRequest> {
  const calledBy = (caller: Caller, weight: number): Weighted<Caller> => [
    weight,
    fc.constant(caller),
  ];
  return fc.record({
    caller: oneOf(
      calledBy('nobody', 1),
      calledBy('stranger', 1),
      calledBy('ordinary', 3),
      calledBy('administrator', 3),
    ),
    madeUp: oneOf<string>(
      [1, headerText],
      [1, headerText.map((text) => `Bearer ${text}`)],
      [1, among('Bearer', 'Bearer a.b.c', 'Bearer eyJhbGciOiJub25lIn0.e30.', 'Basic YTpi')],
    ),
    id,
    query,
    fields: fc.array(field, { maxLength: 2 }),
    contentType,
    body: bodyOf(operation),
  });
}
