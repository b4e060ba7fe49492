import type { FastifyInstance } from 'fastify';

import { isSerializedOnce } from '../common/http/index.js';

/** Serializes responses as JSON. Caches the text of an object that `serializedOnce` marked, for the lifetime of the object. */
export function serializeResponses(server: FastifyInstance): void {
  const rendered = new WeakMap<object, string>();
  server.setReplySerializer((answer) => {
    if (!isSerializedOnce(answer)) {
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
