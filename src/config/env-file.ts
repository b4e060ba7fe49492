/** A line as dotenv reads it: the name, and all that follows. */
const LINE = /^\s*(?:export\s+)?([\w.-]+)\s*[=:]\s*(.*)$/;
const QUOTED = /^(?:'[^']*'|"(?:\\"|[^"])*"|`[^`]*`)\s*(?:#.*)?$/;

/**
 * The settings of a `.env` file whose value dotenv cuts at a `#`, because it is not quoted. A comment behind a value does
 * that too; a comment behind no value does not count.
 */
export function settingsCutAtHash(text: string): string[] {
  return text.split(/\r\n?|\n/).flatMap((line) => {
    const [, name, value = ''] = LINE.exec(line) ?? [];
    if (
      name === undefined ||
      QUOTED.test(value) ||
      /^\s+#/.test(line.slice(line.indexOf('=') + 1))
    ) {
      return [];
    }
    return value.includes('#') ? [name] : [];
  });
}
