/** An editor and `echo` end the line; the secret is what stands on it. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}
