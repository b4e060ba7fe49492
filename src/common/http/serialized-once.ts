/** The JSON text of an object. A symbol, so that it is no member of the JSON. */
const TEXT = Symbol('text');

interface SerializedOnce {
  readonly [TEXT]: { json: string | undefined };
}

/** Marks an immutable response object that many requests share, so that it is serialized once. Nested values must be immutable too. */
export function serializedOnce<Body extends object>(body: Body): Readonly<Body> {
  Object.defineProperty(body, TEXT, { value: { json: undefined } });
  return Object.freeze(body);
}

/** @returns the JSON of a response. The text of an object that `serializedOnce` marked is kept as long as the object */
export function jsonOf(body: unknown): string {
  const text = (body as Partial<SerializedOnce> | null | undefined)?.[TEXT];
  return text ? (text.json ??= JSON.stringify(body)) : JSON.stringify(body);
}
