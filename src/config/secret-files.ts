/**
 * Validates the text of a secret file, without the line end. Used at start and at every reload.
 *
 * @returns the mistake, or undefined
 */
export function secretMistake(secret: string): string | undefined {
  if (secret === '') {
    return 'must not be empty';
  }
  return /[\0\r\n]/.test(secret) ? 'must contain one line' : undefined;
}

/** Removes the line end that editors and `echo` add. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}
