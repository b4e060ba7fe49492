import type { ChildProcess } from 'node:child_process';

interface ConnectionHandle {
  close(): void;
}

/**
 * Closes the connection that was on its way to a worker when the worker ended. Node passes one connection at a time to a worker,
 * and keeps it open until the worker has accepted it. It does not close it when that never happens, and the client would
 * wait for its answer.
 */
export function closeConnectionOnItsWay(worker: ChildProcess): void {
  let handle: ConnectionHandle | undefined;
  const send = worker.send.bind(worker) as (...args: unknown[]) => boolean;
  worker.send = (...args: unknown[]): boolean => {
    const [, passed] = args as [unknown, ConnectionHandle?];
    handle = typeof passed?.close === 'function' ? passed : handle;
    return send(...args);
  };
  // Closing a handle that Node has closed, because the worker has accepted the connection, has no effect.
  worker.once('exit', () => handle?.close());
}
