/** The embedded cluster cannot start. The message is for the operator, with the reason and a remedy. */
export class EmbeddedClusterError extends Error {
  override readonly name = 'EmbeddedClusterError';
}
