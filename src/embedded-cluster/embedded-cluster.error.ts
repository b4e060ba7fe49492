/** The embedded cluster cannot start. The message says why and what to do, and is meant for the person at the terminal. */
export class EmbeddedClusterError extends Error {
  override readonly name = 'EmbeddedClusterError';
}
