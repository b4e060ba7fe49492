import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { makeDirectory } from '../common/files/index.js';
import { EmbeddedClusterError } from './embedded-cluster.error.js';

/** The folder of an embedded cluster: password, ports, and one folder per node. */
export class DataDirectory {
  readonly path: string;
  private lock: Server | undefined;

  /** @throws EmbeddedClusterError when the folder cannot be created or is not writable */
  constructor(path: string) {
    try {
      makeDirectory(path, 0o700);
      accessSync(path, constants.W_OK | constants.X_OK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new EmbeddedClusterError(
        `The embedded cluster cannot write ${path} (${code}). Set DATA_DIRECTORY to a folder that it can create and write.`,
        { cause: error },
      );
    }
    // redis-server reports its folder with symbolic links resolved.
    this.path = realpathSync(path);
  }

  get passwordFile(): string {
    return join(this.path, 'password');
  }

  nodeFolder(index: number): string {
    return join(this.path, `node-${index + 1}`);
  }

  /** Creates the password once and then keeps it, because running nodes may use it. */
  password(): string {
    if (!existsSync(this.passwordFile)) {
      writeFileSync(this.passwordFile, randomBytes(32).toString('base64url'), { mode: 0o600 });
    }
    return readFileSync(this.passwordFile, 'utf8').trim();
  }

  /** First port of the last start, even if that start failed. */
  get lastPort(): number | undefined {
    const port = existsSync(this.portFile) ? Number(readFileSync(this.portFile, 'utf8')) : NaN;
    return Number.isInteger(port) ? port : undefined;
  }

  set lastPort(firstPort: number) {
    writeFileSync(this.portFile, String(firstPort));
  }

  /** Whether the nodes have formed a cluster. Before that, their data can be deleted. */
  get isFormed(): boolean {
    return existsSync(this.formedFile);
  }

  markFormed(): void {
    writeFileSync(this.formedFile, '');
  }

  clearNodes(count: number): void {
    for (let index = 0; index < count; index += 1) {
      rmSync(this.nodeFolder(index), { recursive: true, force: true });
    }
  }

  /**
   * Locks the folder. The lock is a listening Unix socket, which the operating system closes with its process, so a killed
   * process leaves no lock behind.
   */
  async takeLock(): Promise<void> {
    const address = this.lockAddress;
    this.lock = await listenOn(address);
    if (!this.lock && !(await isListening(address))) {
      rmSync(address, { force: true });
      this.lock = await listenOn(address);
    }
    if (!this.lock) {
      throw new EmbeddedClusterError(
        `An embedded cluster already runs on ${this.path}. Stop it first, or connect to it:\n` +
          `  REDIS_NODES=127.0.0.1:${this.lastPort} REDIS_PASSWORD="$(cat '${this.passwordFile}')" npm start`,
      );
    }
  }

  releaseLock(): void {
    this.lock?.close();
    this.lock = undefined;
  }

  private get portFile(): string {
    return join(this.path, 'first-port');
  }

  private get formedFile(): string {
    return join(this.path, 'formed');
  }

  private get lockAddress(): string {
    // Not in the folder, because the path of a Unix socket is limited to about 100 bytes.
    const digest = createHash('sha256').update(this.path).digest('hex').slice(0, 16);
    return join(tmpdir(), `keyslot-${digest}.lock`);
  }
}

/** @returns undefined when the address is taken */
async function listenOn(address: string): Promise<Server | undefined> {
  return new Promise((resolveServer, reject) => {
    const server = createServer((socket) => socket.end());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolveServer(undefined) : reject(error),
    );
    server.listen(address, () => resolveServer(server));
    server.unref();
  });
}

async function isListening(address: string): Promise<boolean> {
  return new Promise((resolveListening) => {
    const socket = createConnection(address);
    socket.once('connect', () => {
      socket.destroy();
      resolveListening(true);
    });
    socket.once('error', () => resolveListening(false));
  });
}
