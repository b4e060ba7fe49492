/** The environment is wrong. The message lists every mistake by the name of its setting, and no value. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(
    readonly mistakes: readonly string[],
    hints: readonly string[] = [],
  ) {
    super(
      [
        `The settings are not right. Correct these, in the environment or in .env:\n${mistakes
          .map((mistake) => `  - ${mistake}`)
          .join('\n')}`,
        ...hints,
      ].join('\n'),
    );
  }
}
