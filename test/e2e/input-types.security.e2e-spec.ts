import { startBadInput, type BadInput, type Reader } from '../support/bad-input.js';
import { typeOf, typesOf, type Schema } from '../support/openapi.js';

interface Mistake {
  readonly pointer: string;
  readonly code: string;
}

/** Contents of a body: requirements 70 and 71, for every request body in the OpenAPI document. */
describe('a body', () => {
  let input: BadInput;
  beforeAll(async () => (input = await startBadInput()));
  afterAll(async () => input.stop());

  const expectRefused = async (
    operation: Reader,
    body: unknown,
    mistake: Partial<Mistake>,
  ): Promise<void> => {
    const answer = await input.send(operation, body);
    const { method, path } = operation;
    expect({ method, path, body, answer: answer.body }).toMatchObject({
      answer: { status: 400, code: 'invalid-request' },
    });
    expect(answer.body['errors']).toContainEqual(expect.objectContaining(mistake));
  };
  const expectAllRefused = async (work: (operation: Reader) => Promise<void>): Promise<void> => {
    expect(input.readers).not.toEqual([]);
    await input.expectNothingChanged(async () => {
      for (const operation of input.readers) {
        await work(operation);
      }
    });
  };

  const NOT_FOR_THE_CALLER: [string, unknown][] = [
    ...(['isAdmin', 'admin', 'emailVerified'] as const).map((name): [string, boolean] => [
      name,
      true,
    ]),
    ...(['id', 'userId', 'tenantId', 'sessionId', 'createdAt'] as const).map(
      (name): [string, string] => [name, '5f0c6a3e-2a57-4c5e-9d0b-6a5ad1b0f3c1'],
    ),
    ['roles', ['admin']],
    ['permissions', ['users:write']],
    ['disabled', false],
    ['passwordHash', '$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA'],
    ['passwordVersion', 1],
    ['sessionEpoch', 0],
    ['deleted', ''],
  ];

  it('with a member that the caller may not set is refused, not stripped (70)', async () => {
    await expectAllRefused(async (operation) => {
      const names = Object.keys(operation.body.properties);
      for (const [name, value] of NOT_FOR_THE_CALLER.filter(([one]) => !names.includes(one))) {
        const body = { ...input.goodBody(operation), [name]: value };
        await expectRefused(operation, body, { pointer: `/${name}`, code: 'unknown-member' });
      }
    });
  });

  const ANYTHING: unknown[] = [
    null,
    true,
    false,
    0,
    1,
    -1.5,
    'text',
    '',
    'true',
    '1',
    '[]',
    '{}',
    [],
    [[]],
    ['text'],
    [null],
    [{}],
    {},
    { $ne: '' },
    { length: 1, 0: 'admin' },
    { toString: 'text' },
    { valueOf: 1 },
  ];
  /** Checks only the JSON type; the format of a text is tested with each route. */
  const isOfAnotherType = (schema: Schema, value: unknown): boolean =>
    !typesOf(schema).includes(typeOf(value));

  it('with a member of another type is refused, never converted (71)', async () => {
    await expectAllRefused(async (operation) => {
      for (const [name, schema] of Object.entries(operation.body.properties)) {
        for (const value of ANYTHING.filter((one) => isOfAnotherType(schema, one))) {
          const body = { ...input.goodBody(operation), [name]: value };
          await expectRefused(operation, body, { pointer: `/${name}` });
        }
      }
    });
  });

  /** How each list refuses its items, and items that only this list refuses. */
  const LISTS: Readonly<Record<string, { code: string; others: string[] }>> = {
    roles: { code: 'unknown-item', others: ['ADMIN'] },
    permissions: { code: 'permission-characters', others: ['*', 'users:read users:write'] },
    audiences: { code: 'audience-characters', others: ['a,b', 'a"b'] },
  };

  it('with a list that contains items that are not allowed is refused (71)', async () => {
    await expectAllRefused(async (operation) => {
      const lists = Object.entries(operation.body.properties).filter(([, { items }]) => items);
      for (const [name] of lists) {
        const { code, others } = LISTS[name]!;
        for (const value of [null, true, 0, ' admin', '', ['admin'], { admin: 1 }, ...others]) {
          const body = { ...input.goodBody(operation), [name]: [value] };
          await expectRefused(operation, body, { pointer: `/${name}`, code });
        }
      }
    });
  });

  it('without a required member, or that is not an object, is refused (71)', async () => {
    await expectAllRefused(async (operation) => {
      const good = input.goodBody(operation);
      for (const name of operation.body.required) {
        await expectRefused(operation, { ...good, [name]: undefined }, { pointer: `/${name}` });
      }
      for (const body of [[], [good], 'null', '"text"', '1', 'true', '']) {
        await expectRefused(operation, body, { pointer: '', code: 'not-an-object' });
      }
    });
  });
});
