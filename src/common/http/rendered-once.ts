const answers = new WeakSet<object>();

/**
 * Marks an answer that many requests get and nobody changes: its JSON is made once. What it holds must not change
 * either.
 */
export function renderedOnce<Answer extends object>(answer: Answer): Readonly<Answer> {
  answers.add(answer);
  return Object.freeze(answer);
}

export function isRenderedOnce(answer: unknown): answer is object {
  return typeof answer === 'object' && answer !== null && answers.has(answer);
}
