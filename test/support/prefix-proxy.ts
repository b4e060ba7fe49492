import { freePort } from './free-port.js';
import { startNginx } from './nginx.js';

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
  const port = await freePort();
  const { close } = await startNginx(
    port,
    `server {
      listen 127.0.0.1:${port};
      location ${prefix}/ { proxy_pass ${upstream}/; }
    }`,
  );
  return { url: `http://127.0.0.1:${port}${prefix}`, close };
}
