import { Type } from 'class-transformer';
import { ValidateNested } from 'class-validator';

import { Problem } from '../problem/index.js';
import { isText, MatchesRule, OptionalNotNull } from './rules.js';
import { RequestValidationPipe } from './validation.pipe.js';

class Inner {
  @OptionalNotNull()
  @MatchesRule('text', isText)
  text?: string;
}

class Outer {
  @OptionalNotNull()
  @ValidateNested()
  @Type(() => Inner)
  inner?: Inner;
}

const INHERITED = [...Object.getOwnPropertyNames(Object.prototype), 'prototype'];

describe('request validation', () => {
  const errorsOf = async (type: 'body' | 'query', value: unknown): Promise<unknown> =>
    new RequestValidationPipe().transform(value, { type, metatype: Outer }).then(
      () => undefined,
      (error: unknown) => (error instanceof Problem ? error.options.errors : error),
    );

  describe.each(['body', 'query'] as const)('in a %s', (type) => {
    it.each([...INHERITED, 'unknown', 'a/b~c'])(
      'refuses a member %s, which no class has, at any depth',
      async (name) => {
        const pointer = name.replaceAll('~', '~0').replaceAll('/', '~1');
        const member = (value: unknown): unknown =>
          JSON.parse(`{"${name}":${JSON.stringify(value)}}`);

        for (const value of [1, null, 'text', {}]) {
          expect(await errorsOf(type, member(value))).toMatchObject([
            { pointer: `/${pointer}`, code: 'unknown-member' },
          ]);
          expect(await errorsOf(type, { inner: member(value) })).toMatchObject([
            { pointer: `/inner/${pointer}`, code: 'unknown-member' },
          ]);
        }
      },
    );

    it('accepts known members', async () => {
      expect(await errorsOf(type, { inner: { text: 'toString' } })).toBeUndefined();
    });
  });
});
