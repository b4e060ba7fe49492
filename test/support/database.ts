import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

import { freePort } from './free-port.js';

/** A PostgreSQL server in the memory of this process, which other processes can connect to. */
export class Database {
  private constructor(
    readonly url: string,
    private readonly engine: PGlite,
    private readonly server: PGLiteSocketServer,
  ) {}

  static async start(): Promise<Database> {
    const [engine, port] = await Promise.all([PGlite.create(), freePort()]);
    const options = { db: engine, host: '127.0.0.1', port, maxConnections: 50 };
    const server = new PGLiteSocketServer(options);
    await server.start();
    return new Database(`postgres://postgres@127.0.0.1:${port}/postgres`, engine, server);
  }

  async query(statement: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.engine.query<Record<string, unknown>>(statement, values)).rows;
  }

  /** Closes all connections and accepts no new ones. */
  async shutDown(): Promise<void> {
    await this.server.stop();
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.engine.close();
  }
}
