import {
  MaxFileSizeValidator,
  ParseArrayPipe,
  ParseBoolPipe,
  ParseDatePipe,
  ParseEnumPipe,
  ParseFilePipe,
  ParseFloatPipe,
  ParseIntPipe,
  ParseUUIDPipe,
  type ArgumentMetadata,
  type PipeTransform,
} from '@nestjs/common';

import { languageOf, problemDocument } from '../common/problem/index.js';
import { problemOf } from './problem-of.js';

const PARAMETER: ArgumentMetadata = { type: 'query', metatype: String, data: 'id' };
enum Size {
  Small = 's',
}
const bigFile = { size: 10, mimetype: 'text/plain', buffer: Buffer.alloc(10) };

describe('a failure of a built-in Nest pipe', () => {
  const answerTo = async (pipe: PipeTransform, value: unknown, language: string) => {
    const error: unknown = await Promise.resolve()
      .then((): unknown => pipe.transform(value, PARAMETER))
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    const context = { path: '/', requestId: '1', language: languageOf(language) };
    return problemDocument(problemOf(error), context);
  };

  it.each<[string, PipeTransform, unknown, object]>([
    ['ParseUUIDPipe', new ParseUUIDPipe(), 'x', { code: 'not-a-uuid', detail: '必须是 UUID。' }],
    ['ParseUUIDPipe', new ParseUUIDPipe({ version: '4' }), 'x', { code: 'not-a-uuid' }],
    ['ParseUUIDPipe', new ParseUUIDPipe(), 1, { code: 'not-a-uuid' }],
    ['ParseIntPipe', new ParseIntPipe(), 'x', { code: 'not-a-number', detail: '必须是数字。' }],
    ['ParseFloatPipe', new ParseFloatPipe(), 'x', { code: 'not-a-number' }],
    ['ParseBoolPipe', new ParseBoolPipe(), 'x', { code: 'not-a-boolean' }],
    ['ParseEnumPipe', new ParseEnumPipe(Size), 'x', { code: 'not-an-option' }],
    ['ParseDatePipe', new ParseDatePipe(), 'x', { code: 'not-a-date', detail: '必须是日期。' }],
    ['ParseDatePipe', new ParseDatePipe(), undefined, { code: 'missing' }],
    ['ParseArrayPipe', new ParseArrayPipe(), 1, { code: 'not-a-list' }],
    [
      'ParseArrayPipe',
      new ParseArrayPipe({ items: Number }),
      '1,x',
      { pointer: '/1', code: 'not-a-number' },
    ],
    [
      'ParseArrayPipe',
      new ParseArrayPipe({ items: Boolean }),
      'x',
      { pointer: '/0', code: 'not-a-boolean' },
    ],
    ['ParseFilePipe', new ParseFilePipe(), undefined, { code: 'missing' }],
    [
      'ParseFilePipe',
      new ParseFilePipe({ validators: [new MaxFileSizeValidator({ maxSize: 1 })] }),
      bigFile,
      { code: 'too-large', detail: '过大。' },
    ],
  ])('is a problem in the language of the caller: %s', async (_, pipe, value, error) => {
    const chinese = await answerTo(pipe, value, 'zh');

    expect(chinese).toMatchObject({ status: 400, code: 'invalid-request', errors: [error] });
    for (const text of [chinese.title, chinese.detail, chinese.errors?.[0]?.detail]) {
      expect(text).toMatch(/\p{Script=Han}|UUID|true/u);
    }
    const english = await answerTo(pipe, value, 'en');
    expect(JSON.stringify(english)).not.toMatch(/\p{Script=Han}/u);
    expect(english.errors?.[0]?.detail).toMatch(/^[A-Z].*\.$/);
  });
});
