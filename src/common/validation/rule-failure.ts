/** Why a value was refused. */
export interface RuleFailure {
  /** Stable and machine-readable; its text is under `rules` in the locales. */
  readonly code: string;
  /** What the text mentions, such as a limit. Never the value itself. */
  readonly params?: Readonly<Record<string, string | number>>;
  /** The text, for a rule that the locales do not know. */
  readonly message?: string;
  /** Whether it is a rule of class-validator with its own text: translated by `class-validator.<language>.json`. */
  readonly isStandard?: boolean;
  /** Whether that rule is for each item of a list. */
  readonly isForEach?: boolean;
}

/** @returns the first rule that the value breaks */
export type Rule = (value: unknown) => RuleFailure | undefined;
