import { optionsFrom, UsageError } from './options.js';

describe('the options of the fault suite', () => {
  const NAMES = ['one', 'two', 'three'];

  it.each([
    [[], NAMES],
    [
      ['--only', 'three,one'],
      ['one', 'three'],
    ],
    [['--only=two', '--seed', '7', '--list'], ['two']],
  ])('are parsed: %j', (args, only) => {
    expect(optionsFrom(args, NAMES).only).toEqual(only);
  });

  it.each([
    ["Unknown option '--bogus'.", '--bogus'],
    ["There is no scenario 'foo' (see --list).", '--only', 'foo'],
    ["There is no scenario '' (see --list).", '--only', ''],
    ['--seed must be a whole number, at least 1.', '--seed', 'abc'],
    ['--seed must be a whole number, at least 1.', '--seed', ''],
    ['--workers must be a whole number, at least 1.', '--workers', '1.5'],
    ['--lost-seconds must be a whole number, at least 1.', '--lost-seconds', '0.5'],
    ['--revocations must be a whole number, at least 1.', '--revocations', '0'],
    ["Unexpected argument 'masters-killed'.", 'masters-killed'],
    ["Option '--only <value>' argument missing.", '--only'],
    ["Option '--seed' argument is ambiguous.", '--seed', '--list'],
  ])('are rejected with a message of one line: %s', (message, ...args) => {
    expect(() => optionsFrom(args, NAMES)).toThrow(new UsageError(message));
  });
});
