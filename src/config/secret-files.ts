/**
 * Checks the text of a secret file, without its line end, at the start and whenever the file is read again.
 *
 * @returns the rule that it breaks; undefined: none
 */
export function secretMistake(secret: string): string | undefined {
  if (secret === '') {
    return 'must not be empty';
  }
  return /[\0\r\n]/.test(secret) ? 'must hold one line' : undefined;
}

/** An editor and `echo` end the line; the secret is what stands on it. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}
