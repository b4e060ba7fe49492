/**
 * State of one request, stored in a property of the request. `src/http` declares the properties that most requests get
 * (`decorateRequest`), so that these requests have the same shape.
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
