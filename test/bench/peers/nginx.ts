import { startNginx } from '../../support/nginx.js';

/** A real nginx. The scenario provides its configuration, which listens on this port. */
const port = Number(process.env['BENCH_NGINX_PORT']);
const { close } = await startNginx(port, process.env['BENCH_NGINX'] ?? '');
process.once('SIGTERM', () => void close().then(() => process.exit()));
process.stdout.write(`http://127.0.0.1:${port}\n`);
