export { OperatorError } from './operator-error.js';
