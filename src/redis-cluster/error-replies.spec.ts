import { isReadOnlyShard, isRefusal, isRetriable, redacted } from './error-replies.js';
import { isProgrammingError } from './programming-error.js';
import {
  NotConfirmedError,
  ReadOnlyShardError,
  TooFewReplicasError,
} from './redis-cluster.errors.js';

const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });

describe('an error of an operation', () => {
  it.each([
    reply('MOVED 1 127.0.0.1:7000'),
    reply('CLUSTERDOWN'),
    new Error('Connection is closed.'),
    new TooFewReplicasError(0, 1),
  ])('is temporary, so that the operation is retried: %s', (error) => {
    expect([isRetriable(error), isProgrammingError(error)]).toEqual([true, false]);
  });

  it.each([reply('is permanent: %s'), reply('WRONGTYPE')])('stays the same: %s', (error) => {
    expect(isRetriable(error)).toBe(false);
  });

  it.each([new TypeError('x'), new RangeError('x'), new ReferenceError('x'), new SyntaxError('x')])(
    'is a programming error: %s',
    (error) => {
      expect(isProgrammingError(error)).toBe(true);
    },
  );
});

describe('a shard that rejects writes', () => {
  it.each([
    reply('OOM command not allowed when used memory > maxmemory.'),
    reply('MISCONF Redis is configured to save RDB snapshots'),
    reply('NOREPLICAS Not enough good replicas to write.'),
    new TooFewReplicasError(0, 1),
  ])(
    'is recognized by the reply or the class of the error, also as the cause of another error: %s',
    (error) => {
      const shown = redacted(error);

      expect(shown).toBeInstanceOf(ReadOnlyShardError);
      expect(shown.message).toBe(error.message);
      expect(isReadOnlyShard(new NotConfirmedError('x', { cause: shown }))).toBe(true);
    },
  );

  it('is not recognized by the text of our own errors', () => {
    expect(isReadOnlyShard(new Error('0 of 1 replicas confirmed'))).toBe(false);
  });
});

describe('a redacted error', () => {
  it('has none of the properties that ioredis adds', () => {
    const error = Object.assign(reply('WRONGTYPE'), { command: { args: ['a secret'] } });

    expect(Object.keys(redacted(error))).toEqual([]);
  });

  it('contains advice for a rejection, without the name of the user', () => {
    const error = reply("NOPERM User keyslot has no permissions to run the 'evalsha' command");

    expect(isRefusal(error)).toBe(true);
    expect(redacted(error).message).toMatch(/refuses the user the command evalsha: give it/);
    expect(redacted(error).message).not.toContain('keyslot');
  });
});
