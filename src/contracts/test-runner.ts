/** The functions of a test runner that a contract needs. Jest, Vitest and `node:test` have them. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}
