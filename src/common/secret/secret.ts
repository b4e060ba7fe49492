import { inspect } from 'node:util';

/**
 * A value that must not be seen: a password, a token, a key. Turned into text, JSON or a log line it says only that
 * it is hidden; `reveal()` is the one way to the value, so that every use of it can be found.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[hidden]';
  }

  toJSON(): string {
    return '[hidden]';
  }

  [inspect.custom](): string {
    return '[hidden]';
  }
}
