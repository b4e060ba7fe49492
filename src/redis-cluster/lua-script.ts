import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

/** The line of an outer script that is replaced by the script that it wraps. */
const WRAPPED_SCRIPT = /^--- @script$/m;
const INCLUDE = /^--- @include "([a-z][a-z-]*)"$/gm;
/** Includes that the scripts of several modules share. */
const SHARED_INCLUDES = new URL('./scripts/includes/', import.meta.url);

/** A Lua script. The `KEYS[n]` lines of its opening comment say how many keys it takes. */
export class LuaScript<Reply> {
  readonly sha1: string;
  readonly numberOfKeys: number;
  private readonly wrappers = new Map<string, LuaScript<unknown>>();

  private constructor(
    readonly name: string,
    /** The text that is sent to Redis: the script with its includes. */
    readonly source: string,
    readonly parse: (reply: unknown) => Reply,
    ownKeys?: number,
  ) {
    // Redis identifies a cached script by this digest. It has no security purpose.
    this.sha1 = createHash('sha1').update(source).digest('hex');
    this.numberOfKeys = ownKeys ?? new Set(headerOf(source).match(/KEYS\[\d+\]/g)).size;
  }

  /**
   * Puts this script into another one, which runs it as a function: both take effect in one step. The keys and arguments of this
   * script follow those of the outer one.
   *
   * @param outer a script with a line `--- @script` in a function. Without this script, the function does nothing
   * @param parse converts the reply of the outer script
   * @returns the same object for the same outer script
   */
  within<Whole>(outer: LuaScript<unknown>, parse: (reply: unknown) => Whole): LuaScript<Whole> {
    let whole = this.wrappers.get(outer.sha1);
    if (!whole) {
      const source = outer.source.replace(WRAPPED_SCRIPT, () => this.source.trimEnd());
      const numberOfKeys = outer.numberOfKeys + this.numberOfKeys;
      whole = new LuaScript<unknown>(this.name, source, parse, numberOfKeys);
      this.wrappers.set(outer.sha1, whole);
    }
    return whole as LuaScript<Whole>;
  }

  /**
   * Loads a script from a file. A line `--- @include "name"` is replaced by `includes/name.lua` beside the script, or by the
   * shared include of that name in this module. Includes may include others. Each one is inserted once, at its first mention.
   *
   * @param file the script, relative to the calling module: `new URL('./x.lua', import.meta.url)`
   * @param parse converts the reply of Redis to the type of the script
   * @throws Error when an include does not exist
   */
  static fromFile<Reply>(file: URL, parse: (reply: unknown) => Reply): LuaScript<Reply> {
    const name = file.pathname.split('/').at(-1) ?? file.pathname;
    return new LuaScript(name, withIncludes(file, new URL('./includes/', file)), parse);
  }

  /**
   * Loads the scripts of a module, which lie in `scripts/` beside its code.
   *
   * @param moduleUrl `import.meta.url`
   * @returns loads `scripts/<name>.lua`
   */
  static loaderFor(
    moduleUrl: string,
  ): <Reply>(name: string, parse: (reply: unknown) => Reply) => LuaScript<Reply> {
    return (name, parse) => LuaScript.fromFile(new URL(`./scripts/${name}.lua`, moduleUrl), parse);
  }

  /**
   * A short script that is written where it is used. It has no includes.
   *
   * @param name for errors and logs
   * @param source begins with its comment: `-- KEYS[1] what it is`
   */
  static fromText<Reply>(
    name: string,
    source: string,
    parse: (reply: unknown) => Reply,
  ): LuaScript<Reply> {
    return new LuaScript(name, source, parse);
  }
}

function withIncludes(file: URL, ownIncludes: URL, inserted = new Set<string>()): string {
  return readFileSync(file, 'utf8').replace(INCLUDE, (_, name: string) => {
    const include = [ownIncludes, SHARED_INCLUDES]
      .map((folder) => new URL(`${name}.lua`, folder))
      .find((candidate) => existsSync(candidate));
    if (!include) {
      throw new Error(`${file.pathname} includes "${name}", which does not exist`);
    }
    if (inserted.has(include.href)) {
      return '';
    }
    inserted.add(include.href);
    return withIncludes(include, ownIncludes, inserted).trimEnd();
  });
}

function headerOf(source: string): string {
  const lines = source.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  return lines.slice(0, end === -1 ? lines.length : end).join('\n');
}
