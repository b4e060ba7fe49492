// Runs commands of dist/cli.js one after the other in one process, because loading the application takes longer than most commands.
import { writeSync } from 'node:fs';

const [, , cli] = process.argv;
let runs = 0;

process.on('message', async ({ args, env, cwd, end }) => {
  process.argv = [process.execPath, cli, ...args];
  process.env = env;
  process.chdir(cwd);
  process.exitCode = undefined;
  try {
    // Only this module is evaluated again. The modules that it imports are kept.
    await import(`${cli}?${(runs += 1)}`);
  } catch (error) {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  }
  const status = process.exitCode ?? 0;
  process.exitCode = undefined;
  writeSync(1, end);
  writeSync(2, end);
  process.send({ status });
});
