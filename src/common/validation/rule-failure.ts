/** Why a value is invalid. */
export interface RuleFailure {
  /** Stable and machine-readable; its text is under `rules` in the locales. */
  readonly code: string;
  /** Values for the placeholders of the text, such as a limit. Never the invalid value itself. */
  readonly params?: Readonly<Record<string, string | number>>;
  /** The text of a rule that has no text in the locales. */
  readonly message?: string;
  /** Whether it is a rule of class-validator with its default text, which `class-validator.<language>.json` translates. */
  readonly isStandard?: boolean;
  /** Whether that rule applies to each item of a list (`each: true`). */
  readonly isForEach?: boolean;
}

/** @returns the failure, or undefined for a valid value */
export type Rule = (value: unknown) => RuleFailure | undefined;
