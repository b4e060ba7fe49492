import { parseOptions } from './options.js';

describe('the options of the benchmarks', () => {
  it('have defaults', () => {
    expect(parseOptions([])).toEqual({
      mode: 'run',
      only: undefined,
      output: 'bench/results',
      rounds: 5,
      seconds: 10,
      connections: 64,
    });
  });

  it('are read from the command line', () => {
    const args = ['--only', 'refresh,logout', '--rounds', '2', '--seconds', '3'];

    expect(parseOptions(args)).toMatchObject({
      only: ['refresh', 'logout'],
      rounds: 2,
      seconds: 3,
    });
  });

  it.each([['--list'], ['--docs'], ['--help']])('include %s', (option) => {
    expect(parseOptions([option]).mode).toBe(option.slice(2));
  });

  it.each([
    [['--rounds', '0'], '--rounds must be a whole number from 1 to 1000.'],
    [['--seconds', '301'], '--seconds must be a whole number from 1 to 300.'],
    [['--connections', 'many'], '--connections must be a whole number from 1 to 1000.'],
    [['--round', '1'], "Unknown option '--round'"],
    [['warm-read'], 'warm-read'],
  ])('are rejected with a message of one line: %j', (args, message) => {
    let thrown: unknown;
    try {
      parseOptions(args);
    } catch (error) {
      thrown = error;
    }

    expect(thrown).toMatchObject({ name: 'OptionError' });
    expect((thrown as Error).message).toContain(message);
    expect((thrown as Error).message).not.toContain('\n');
  });
});
