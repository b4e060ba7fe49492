import { OperatorError } from '../common/operator-error/index.js';

/** The settings are invalid. The message lists every mistake with the name of its setting, and no values. */
export class SettingsError extends OperatorError {
  override readonly name = 'SettingsError';

  constructor(
    readonly mistakes: readonly string[],
    hints: readonly string[] = [],
  ) {
    super(
      [
        `The settings are invalid. Correct them in the environment or in .env:\n${mistakes
          .map((mistake) => `  - ${mistake}`)
          .join('\n')}`,
        ...hints,
      ].join('\n'),
    );
  }
}
