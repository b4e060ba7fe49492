import { runCommand, type CommandResult } from './command.js';

/**
 * Runs `keys` with the settings of an instance.
 *
 * @param variables override the settings; undefined removes one
 */
export async function runKeysCommand(
  variables: Readonly<Record<string, string | undefined>>,
  ...args: string[]
): Promise<CommandResult> {
  return runCommand(['keys', ...args], { variables });
}
