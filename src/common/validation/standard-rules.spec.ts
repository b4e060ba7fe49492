import * as classValidator from 'class-validator';
import { IsIn, IsInt, IsString, Length, Max, Min } from 'class-validator';
import { readFileSync } from 'node:fs';

import { Problem, problemDocument, type Language } from '../problem/index.js';
import { isText, Obeys } from './rules.js';
import { RequestValidationPipe } from './validation.pipe.js';

class Order {
  @Max(9) @Min(1) @IsInt() amount!: unknown;
  @IsInt() @Min(1) @Max(9) written!: unknown;
  @IsIn(['s', 'm'], { each: true }) sizes!: unknown;
  @Length(2, 5) @IsString() code!: unknown;
  @IsInt({ message: 'whole rooms only' }) rooms!: unknown;
  @Obeys('note', isText) note!: unknown;
}

const VALID = { amount: 1, written: 1, sizes: ['s'], code: 'ab', rooms: 1, note: '{"code":1}' };

describe('rules of class-validator', () => {
  const errorsOf = async (changes: object, language: Language = 'en'): Promise<unknown> => {
    const checked = new RequestValidationPipe().transform(
      { ...VALID, ...changes },
      { type: 'body', metatype: Order },
    );
    const error: unknown = await checked.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return error instanceof Problem
      ? problemDocument(error, { path: '/', requestId: '1', language }).errors
      : error;
  };

  it('let through what obeys them', async () => {
    expect(await errorsOf({})).toBeUndefined();
  });

  it.each(['amount', 'written'])(
    'are all listed, the basic one first, in whatever order they are written: %s',
    async (member) => {
      expect(await errorsOf({ [member]: 'many' })).toMatchObject(
        (member === 'amount' ? ['isInt', 'max', 'min'] : ['isInt', 'min', 'max']).map((code) => ({
          pointer: `/${member}`,
          code,
        })),
      );
    },
  );

  it('have texts with their limits in both languages', async () => {
    expect(await errorsOf({ amount: 10 })).toEqual([
      { pointer: '/amount', code: 'max', detail: 'amount must not be greater than 9' },
    ]);
    expect(await errorsOf({ amount: 10, sizes: ['xl'], code: 'a' }, 'zh')).toEqual([
      { pointer: '/amount', code: 'max', detail: '不得大于 9。' },
      { pointer: '/sizes', code: 'isIn', detail: '每一项：必须是以下值之一：s, m。' },
      { pointer: '/code', code: 'isLength', detail: '字符数必须在 2 到 5 的范围内。' },
    ]);
  });

  it('keep a text that the application wrote itself', async () => {
    expect(await errorsOf({ rooms: 1.5 }, 'zh')).toEqual([
      { pointer: '/rooms', code: 'isInt', detail: 'whole rooms only' },
    ]);
  });

  it('stand beside our own rules, whose failures come with their code', async () => {
    expect(await errorsOf({ note: 1 }, 'zh')).toEqual([
      { pointer: '/note', code: 'not-a-string', detail: '必须是字符串。' },
    ]);
  });

  it('have a Chinese text under a name that class-validator has', () => {
    const file = new URL('../problem/locales/class-validator.zh.json', import.meta.url);
    const names = Object.keys(JSON.parse(readFileSync(file, 'utf8')) as object);
    const known = Object.values(classValidator).filter((value) => typeof value === 'string');

    expect(names.length).toBeGreaterThan(70);
    expect(names.filter((name) => !known.some((each) => each === name))).toEqual([
      ...['each', 'nestedValidation'],
    ]);
  });
});
