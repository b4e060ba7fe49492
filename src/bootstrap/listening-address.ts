import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';

import { SettingsError, type Settings } from '../config/index.js';

interface Listener {
  readonly label: string;
  readonly hostName: 'HOST' | 'MANAGEMENT_HOST';
  readonly portName: 'PORT' | 'MANAGEMENT_PORT';
  readonly host: string;
  readonly port: number;
}

/**
 * Checks that the instance can listen on its ports, before the embedded cluster starts.
 *
 * @returns one address for the API. For a host name with two addresses, Fastify would create a second server without Keyslot's
 * connection limits
 * @throws SettingsError
 */
export async function listeningAddress({ http, management }: Settings): Promise<string> {
  const api: Listener = { label: 'The API', hostName: 'HOST', portName: 'PORT', ...http };
  const monitoring: Listener | undefined = management && {
    label: 'The management',
    hostName: 'MANAGEMENT_HOST',
    portName: 'MANAGEMENT_PORT',
    ...management,
  };
  const listeners = monitoring ? [api, monitoring] : [api];
  const mistakes: string[] = [];
  const addresses: string[] = [];
  for (const listener of listeners) {
    try {
      const { address } = await lookup(listener.host);
      addresses.push(address);
      await tryToListen(listener.port, address);
    } catch (error) {
      mistakes.push(listeningMistake(listener, error as NodeJS.ErrnoException));
    }
  }
  if (mistakes.length > 0) {
    throw new SettingsError(mistakes);
  }
  return addresses[0]!;
}

async function tryToListen(port: number, address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(port, address, () => server.close(() => resolve()));
  });
}

function listeningMistake(
  { label, hostName, portName }: Listener,
  { code, message }: NodeJS.ErrnoException,
): string {
  if (code === 'EADDRINUSE') {
    return `${label} port is in use by another program (${message}). Set ${portName} to a free port.`;
  }
  return code === 'EACCES' || code === 'EPERM'
    ? `${portName} needs privileges that this process does not have. Set it to 1024 or more.`
    : `${hostName} must be a name or an address of this machine (${code}).`;
}
