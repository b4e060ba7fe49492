import { AllSessions, type AllSessionsEnded } from '../sessions/index.js';
import { withApplication } from './with-application.js';

const PROGRESS_INTERVAL_MS = 10_000;
const MAX_USERS_LISTED = 10;

/** Ends every session of every user, and prints the number of users. Exit code 1 if it failed for any user. */
export async function endAllSessions(): Promise<void> {
  await withApplication(async (application) => {
    let reportedAt = performance.now();
    const ended = await application.get(AllSessions).end(({ users, of }) => {
      if (performance.now() - reportedAt > PROGRESS_INTERVAL_MS) {
        reportedAt = performance.now();
        process.stderr.write(`${users} of ${of} users …\n`);
      }
    });
    report(ended);
  });
}

function report({ users, failures, isComplete }: AllSessionsEnded): void {
  process.stdout.write(`Ended every session of ${users} users.\n`);
  const [reason] = failures.values();
  if (!reason) {
    return;
  }
  const named = [...failures.keys()].slice(0, MAX_USERS_LISTED);
  const others = failures.size > named.length ? ', …' : '';
  const lines = [
    `It failed for ${failures.size} users (${reason.message}): ${named.join(', ')}${others}`,
    ...(isComplete ? [] : ['The command was aborted. The other users were skipped.']),
    'Some sessions may still be valid. Run the command again.',
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exitCode = 1;
}
