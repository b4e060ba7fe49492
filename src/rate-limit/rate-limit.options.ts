export interface RateLimitOptions {
  /** Off only for load tests: nothing is counted or refused then. Default true. */
  readonly isOn?: boolean;
}
