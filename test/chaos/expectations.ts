/** What is documented of a scenario (see docs/operations/fault-tests.md), beside what is promised of every answer. */
export interface Expectations {
  readonly recovery: {
    /** From when it counts: what heals by itself counts from its begin. */
    readonly from: 'begin' | 'end';
    readonly withinMs: number;
  };
  /** Where clients notice nothing: the largest share of requests that may be turned away all the same. */
  readonly mostRefused?: number;
}
