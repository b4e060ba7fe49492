import { OperatorError } from '../common/operator-error/index.js';

/** The embedded cluster cannot start. The message is for the operator, with the reason and a remedy. */
export class EmbeddedClusterError extends OperatorError {
  override readonly name = 'EmbeddedClusterError';
}
