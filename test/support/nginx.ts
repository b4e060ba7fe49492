import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { endProcess } from './end-process.js';
import { eventually } from './own-cluster.js';
import { running } from './running.js';

const START_MS = 20_000;
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

export interface Nginx {
  readonly close: () => Promise<void>;
}

/**
 * Starts a real nginx with one worker, and waits until it accepts connections.
 *
 * @param port where a server of the configuration listens
 * @param http the content of the block `http`
 */
export async function startNginx(port: number, http: string): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'keyslot-nginx-'));
  // If the master runs as root, the workers run as another user and write temporary files here.
  chmodSync(folder, 0o755);
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration(folder, http));
  const command = process.env['NGINX'] ?? 'nginx';
  const nginx = spawn(command, ['-c', file, '-e', 'stderr'], { stdio: 'ignore' });
  const close = async (): Promise<void> => {
    running.delete(close);
    await endProcess(nginx, 'SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };
  running.add(close);
  await eventually('nginx accepts connections', START_MS, async () => isOpen(port));
  return { close };
}

async function isOpen(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => done(true)).once('error', () => done(false));
    socket.once('connect', () => socket.destroy());
  });
}

function configuration(folder: string, http: string): string {
  return `
daemon off;
worker_processes 1;
pid ${folder}/pid;
events {}
http {
  ${TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  access_log off;
  ${http}
}
`;
}
