import { inspect } from 'node:util';
import { Writable } from 'node:stream';
import { pino } from 'pino';

import { Secret } from './secret.js';

describe('a secret', () => {
  const secret = new Secret('hunter2');

  it('is hidden unless revealed explicitly (90)', () => {
    expect(secret.reveal()).toBe('hunter2');
    const lines: string[] = [];
    const stream = new Writable({
      write: (chunk, _, done) => {
        lines.push(String(chunk));
        done();
      },
    });
    pino(stream).info({ secret, deep: { list: [secret] } }, `a ${String(secret)}`);
    const seen = [
      `${String(secret)}`,
      JSON.stringify({ secret }),
      inspect({ secret }),
      inspect(secret, { showHidden: true, depth: 9 }),
      Object.keys(secret).join(),
      ...lines,
    ];

    expect(lines).toHaveLength(1);
    expect(seen.join('\n')).not.toContain('hunter2');
  });
});
