import { isProgrammingError, isRetriable } from './retriable.js';

const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });

describe('an error of an operation', () => {
  it.each([
    reply('MOVED 1 127.0.0.1:7000'),
    reply('CLUSTERDOWN'),
    new Error('Connection is closed.'),
  ])('passes, and so the operation is tried again: %s', (error) => {
    expect([isRetriable(error), isProgrammingError(error)]).toEqual([true, false]);
  });

  it.each([reply('ERR user_script:1'), reply('WRONGTYPE')])('stays the same: %s', (error) => {
    expect(isRetriable(error)).toBe(false);
  });

  it.each([new TypeError('x'), new RangeError('x'), new ReferenceError('x'), new SyntaxError('x')])(
    'is a mistake of our own: %s',
    (error) => {
      expect(isProgrammingError(error)).toBe(true);
    },
  );
});
