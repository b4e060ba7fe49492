/** The documented expectations of a scenario (see docs/operations/fault-tests.md), in addition to the promises. */
export interface Expectations {
  readonly recovery: {
    /** The start of the recovery: for faults that recover without repair, their begin. */
    readonly from: 'begin' | 'end';
    readonly withinMs: number;
  };
  /** For faults that clients should not notice: the maximum fraction of requests that may still be refused. */
  readonly maxRefusedShare?: number;
}
