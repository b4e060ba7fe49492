/**
 * State of one request, in a property of the request itself. `src/http` declares all of it by Fastify's `decorateRequest`, so
 * that every request has the same shape.
 */
export class RequestState<Value> {
  readonly key: symbol;

  constructor(name: string) {
    this.key = Symbol(name);
  }

  get(request: object): Value | undefined {
    return (request as Record<symbol, Value | undefined>)[this.key];
  }

  set(request: object, value: Value): void {
    (request as Record<symbol, Value>)[this.key] = value;
  }
}
