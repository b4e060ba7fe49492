import type { FastifyInstance } from 'fastify';

import { isRenderedOnce } from '../common/http/index.js';

/** Answers are JSON. The text of one that is marked for it is kept as long as the answer itself. */
export function renderAnswers(server: FastifyInstance): void {
  const rendered = new WeakMap<object, string>();
  server.setReplySerializer((answer) => {
    if (!isRenderedOnce(answer)) {
      return JSON.stringify(answer);
    }
    let text = rendered.get(answer);
    if (text === undefined) {
      text = JSON.stringify(answer);
      rendered.set(answer, text);
    }
    return text;
  });
}
