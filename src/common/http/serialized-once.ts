const marked = new WeakSet<object>();

/** Marks an immutable response object that many requests share, so that it is serialized once. Nested values must be immutable too. */
export function serializedOnce<Body extends object>(body: Body): Readonly<Body> {
  marked.add(body);
  return Object.freeze(body);
}

export function isSerializedOnce(body: unknown): body is object {
  return typeof body === 'object' && body !== null && marked.has(body);
}
