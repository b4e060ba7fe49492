import { Type } from 'class-transformer';
import * as classValidator from 'class-validator';
import {
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Max,
  Min,
  ValidateBy,
  ValidateNested,
} from 'class-validator';
import { readFileSync } from 'node:fs';

import { Problem, problemDocument, type Language } from '../problem/index.js';
import { ruleText } from '../problem/problem-texts.js';
import { isText, MatchesRule } from './rules.js';
import { RequestValidationPipe } from './validation.pipe.js';

class Item {
  @Min(1) count!: unknown;
}

class Order {
  @IsOptional() @ValidateNested({ each: true }) @Type(() => Item) items?: Item[];
  @IsOptional()
  @ValidateNested({ each: true, message: 'an item, please' })
  @Type(() => Item)
  own?: Item[];
  @IsOptional()
  @ValidateBy({
    name: 'isEven',
    validator: {
      validate: (value) => Number(value) % 2 === 0,
      defaultMessage: () => '$property is odd',
    },
  })
  even?: unknown;

  @Max(9) @Min(1) @IsInt() amount!: unknown;
  @IsInt() @Min(1) @Max(9) written!: unknown;
  @IsIn(['s', 'm'], { each: true }) sizes!: unknown;
  @Length(2, 5) @IsString() code!: unknown;
  @IsInt({ message: 'whole rooms only' }) rooms!: unknown;
  @MatchesRule('note', isText) note!: unknown;
}

const VALID_ITEM = { count: 1 };
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

  it('accept valid values', async () => {
    expect(await errorsOf({})).toBeUndefined();
  });

  it.each(['amount', 'written'])(
    'are all listed, the basic one first, for any order of the decorators: %s',
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

  it('keep a custom text of the application', async () => {
    expect(await errorsOf({ rooms: 1.5 }, 'zh')).toEqual([
      { pointer: '/rooms', code: 'isInt', detail: 'whole rooms only' },
    ]);
  });

  it('can be combined with our own rules, which report their code', async () => {
    expect(await errorsOf({ note: 1 }, 'zh')).toEqual([
      { pointer: '/note', code: 'not-a-string', detail: '必须是字符串。' },
    ]);
  });

  it('have a Chinese text for every rule of class-validator, and for no other name', () => {
    const file = new URL('../problem/locales/class-validator.zh.json', import.meta.url);
    const names = Object.keys(JSON.parse(readFileSync(file, 'utf8')) as object);
    const known = Object.values(classValidator).filter((value) => typeof value === 'string');

    expect(names.filter((name) => !known.some((each) => each === name)).sort()).toEqual([
      'each',
      'nestedValidation',
      'other',
      'unknownValue',
    ]);
    // isOptional is not a rule that can fail: it disables others.
    const failing = known.filter((name) => name !== 'isOptional');
    expect(failing.length).toBeGreaterThan(90);
    expect(failing.filter((name) => !names.some((each) => each === name))).toEqual([]);
  });

  it('have a generic Chinese text for a rule without a specific one', () => {
    const failure = { code: 'isNew', message: 'must be new', isStandard: true };

    expect(ruleText(failure, 'zh')).toBe('不符合规则 isNew。');
    expect(ruleText(failure, 'en')).toBe('must be new');
  });

  it('have Chinese texts for an invalid item of a nested list, and for its members', async () => {
    for (const items of [
      [VALID_ITEM, 'x'],
      [VALID_ITEM, null],
      [VALID_ITEM, 1],
    ]) {
      expect(await errorsOf({ items }, 'zh')).toEqual([
        { pointer: '/items/1', code: 'nestedValidation', detail: '必须是对象，或对象的列表。' },
      ]);
    }
    expect(await errorsOf({ items: 'x' }, 'zh')).toEqual([
      { pointer: '/items', code: 'nestedValidation', detail: '必须是对象，或对象的列表。' },
    ]);
    expect(await errorsOf({ items: [VALID_ITEM, { count: 0 }] }, 'zh')).toEqual([
      { pointer: '/items/1/count', code: 'min', detail: '不得小于 1。' },
    ]);
    expect(await errorsOf({ own: ['x'] }, 'zh')).toEqual([
      { pointer: '/own/0', code: 'nestedValidation', detail: 'an item, please' },
    ]);
  });

  it('do not change the text of a rule of another package', async () => {
    expect(await errorsOf({ even: 1 }, 'zh')).toEqual([
      { pointer: '/even', code: 'isEven', detail: 'even is odd' },
    ]);
  });
});
