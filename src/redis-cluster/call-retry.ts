import { setTimeout as delay } from 'node:timers/promises';

import { withTimeout, type Deadline } from '../common/deadline/index.js';
import type { ClusterLink } from './cluster-link.js';
import type { ConnectionSecrets } from './connection-secrets.js';
import type { ErrorLog } from './error-log.js';
import { isReadOnlyShard, isRefusal, isRetriable, isWrongUser, redacted } from './error-replies.js';
import { isProgrammingError } from './programming-error.js';
import type { RedisCallMetrics } from './redis-call-metrics.js';
import type { NatMap } from './redis-cluster.options.js';
import { correctedCall, type ScriptCall } from './script-call.js';

const RETRY_INTERVAL_MS = 30;
/** Used in metrics while the slot map is unknown. */
export const UNKNOWN_NODE = 'unknown:0';

/** Sends a call once. */
export type Attempt = (call: ScriptCall, deadline: Deadline) => Promise<unknown>;

export interface CallRetryOptions {
  /** Maximum time of a call with all its attempts, in milliseconds. */
  readonly budgetMs: number;
  readonly natMap?: NatMap | undefined;
}

/** Retries the call of a script within a time budget, while the reason of the failure is temporary. */
export class CallRetry {
  private isClosed = false;

  /** @param links the first one names the node of a call in metrics; all refresh their slot map after a failure */
  constructor(
    private readonly links: readonly [ClusterLink, ...ClusterLink[]],
    private readonly secrets: ConnectionSecrets,
    private readonly calls: RedisCallMetrics,
    private readonly errorLog: ErrorLog,
    private readonly options: CallRetryOptions,
  ) {}

  /** Ends all retries. */
  close(): void {
    this.isClosed = true;
  }

  /**
   * @param giveUp throws the error for the caller, when the budget is spent or a retry cannot succeed
   * @throws Error when the script is wrong
   */
  async run<Reply>(
    firstCall: ScriptCall<Reply>,
    requested: Deadline,
    attempt: Attempt,
    giveUp: (cause: Error) => never,
  ): Promise<Reply> {
    const { script, keys } = firstCall;
    if (keys.length !== script.numberOfKeys) {
      throw new Error(`${script.name} takes ${script.numberOfKeys} keys, not ${keys.length}`);
    }
    const deadline = requested.within(this.options.budgetMs);
    let call = firstCall;
    let failure = new Error('there was no time for a try');
    let reply: unknown;
    for (;;) {
      if (deadline.hasPassed || this.isClosed) {
        giveUp(redacted(failure));
      }
      try {
        const current = call;
        reply = await this.calls.observe(
          script.name,
          current.askNode ?? this.links[0].masterOf(keys[0] ?? '') ?? UNKNOWN_NODE,
          () => withTimeout(deadline.remainingMs, attempt(current, deadline)),
        );
        break;
      } catch (error) {
        // An earlier "read-only" error explains more than the timeout does.
        failure = deadline.hasPassed && isReadOnlyShard(failure) ? failure : (error as Error);
      }
      if (isProgrammingError(failure)) {
        throw failure;
      }
      if (isRefusal(failure) && !(isWrongUser(failure) && (await this.secrets.changedRecently()))) {
        // A retry cannot succeed until an operator fixes the user.
        this.errorLog.logRefusal(failure);
        giveUp(redacted(failure));
      }
      const corrected = correctedCall(failure, call, this.options.natMap);
      call = corrected ?? { ...call, askNode: undefined };
      if (corrected) {
        continue;
      }
      if (!isRefusal(failure) && !isRetriable(failure)) {
        const cause = redacted(failure);
        throw new Error(`${script.name} failed: ${cause.message}`, { cause });
      }
      // The client does not redirect a pipeline that failed in part, so the slot map is refreshed here.
      this.links.forEach((link) => link.checkSoon());
      await delay(RETRY_INTERVAL_MS);
    }
    return script.parse(reply);
  }
}
