/** A line as dotenv parses it: the name, and the rest. */
const LINE = /^\s*(?:export\s+)?([\w.-]+)\s*[=:]\s*(.*)$/;
const QUOTED = /^(?:'[^']*'|"(?:\\"|[^"])*"|`[^`]*`)\s*(?:#.*)?$/;

/**
 * Finds the settings in a `.env` file whose unquoted value dotenv truncates at a `#`. That includes a value with a comment
 * after it, which cannot be told apart, but not a comment without a value.
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
