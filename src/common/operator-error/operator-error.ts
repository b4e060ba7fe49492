/** An error that the operator can fix. The message has the reason and a remedy, and is shown without a stack. */
export class OperatorError extends Error {}
