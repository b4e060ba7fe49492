import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { endProcess } from './end-process.js';
import { freePort } from './free-port.js';
import { eventually } from './own-cluster.js';
import { running } from './running.js';

const START_MS = 20_000;
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

export interface PrefixProxy {
  /** The URL of the API, with the prefix. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * A real nginx that serves the API below a prefix and removes it: `location /keyslot/ { proxy_pass http://…/; }`.
 *
 * @param prefix `/keyslot`
 * @param upstream the URL of the API
 */
export async function startPrefixProxy(prefix: string, upstream: string): Promise<PrefixProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'keyslot-nginx-'));
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration({ folder, port, prefix, upstream }));
  const nginx = spawn('nginx', ['-c', file, '-e', 'stderr'], { stdio: 'ignore' });
  const close = async (): Promise<void> => {
    running.delete(close);
    await endProcess(nginx, 'SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };
  running.add(close);
  const url = `http://127.0.0.1:${port}${prefix}`;
  await eventually('nginx answers', START_MS, () =>
    fetch(`${url}/health/live`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return { url, close };
}

function configuration(proxy: {
  readonly folder: string;
  readonly port: number;
  readonly prefix: string;
  readonly upstream: string;
}): string {
  return `
daemon off;
worker_processes 1;
pid ${proxy.folder}/pid;
events {}
http {
  ${TEMPORARY.map((name) => `${name}_temp_path ${proxy.folder}/${name};`).join('\n  ')}
  access_log off;
  server {
    listen 127.0.0.1:${proxy.port};
    location ${proxy.prefix}/ { proxy_pass ${proxy.upstream}/; }
  }
}
`;
}
