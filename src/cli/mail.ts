import { Deadline } from '../common/deadline/index.js';
import { MailOutbox } from '../mail/index.js';
import { withApplication } from './with-application.js';

export const MAIL_USAGE = `Usage: node dist/cli.js mail <action>

Actions:
  failed             List the mails that were given up in the last seven days: time, id, kind, number of attempts and reason. Addresses
                     are not shown. Mails that still wait are not listed: see the metric keyslot_mail_outbox_entries.
  failed --retry     Send them again.

Uses the settings of an instance. The running instances send the mails.

Exit code: 0 done, 1 failed or not confirmed, 2 wrong usage. Repeating a command is safe, also while instances run.
`;

/** Longer than a failover. */
const TIMEOUT_MS = 10_000;

/** Exit code 1 if it failed. */
export async function runMail({ isRetry }: { readonly isRetry: boolean }): Promise<void> {
  await withApplication(async (application) => {
    const outbox = application.get(MailOutbox);
    if (isRetry) {
      const count = await outbox.retryFailed(Deadline.after(TIMEOUT_MS));
      process.stdout.write(`${count} ${count === 1 ? 'mail is' : 'mails are'} sent again.\n`);
      return;
    }
    const failed = await outbox.failed(Deadline.after(TIMEOUT_MS));
    for (const { failedAt, id, kind, attempt, reason } of failed) {
      process.stdout.write(`${failedAt.toISOString()}  ${id}  ${kind}  ${attempt}  ${reason}\n`);
    }
    const count = failed.length;
    process.stdout.write(`${count} ${count === 1 ? 'mail was' : 'mails were'} given up.\n`);
  }, 'Run the command again.\n');
}
