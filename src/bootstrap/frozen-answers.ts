import type { FastifyInstance } from 'fastify';

/** Renders an answer that is frozen once, however often it is given: it cannot have changed meanwhile. */
export function renderFrozenAnswersOnce(server: FastifyInstance): void {
  const rendered = new WeakMap<object, string>();
  server.setReplySerializer((answer) => {
    const object = answer as object;
    const known = rendered.get(object);
    if (known !== undefined) {
      return known;
    }
    const text = JSON.stringify(object);
    if (Object.isFrozen(object)) {
      rendered.set(object, text);
    }
    return text;
  });
}
