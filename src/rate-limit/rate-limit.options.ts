export interface RateLimitOptions {
  /** false: nothing is counted or refused, for load tests. Default true. */
  readonly isOn?: boolean;
}
