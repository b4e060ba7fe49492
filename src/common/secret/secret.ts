import { inspect } from 'node:util';

/**
 * A value that must not leak, such as a password, a token or a key. It is `[hidden]` as text, as JSON and in logs. Only
 * `reveal()` returns the value, so that every use can be found.
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
