import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';

import { answerGuardError } from './answer-guard-error.js';
import { GUARD_ERRORS, type GuardError } from './guard-problem.js';

/** Answers messages that the guards refuse or cannot decide about. */
@Catch(...GUARD_ERRORS)
class MessageProblemFilter implements ExceptionFilter {
  catch(error: GuardError, host: ArgumentsHost): unknown {
    return answerGuardError(error, host);
  }
}

/** One object for all applications, see `messageGuard`. */
export const messageProblems = new MessageProblemFilter();
