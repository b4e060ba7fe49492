// What has to be on the machine before anything of ours can run. Plain JavaScript without packages, because it runs
// before they are there.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { platform } from 'node:os';

/** A set-up step that cannot be done here. The message says what to do instead. */
export class SetUpError extends Error {}

const OLDEST_NODE = [20, 19];
const OLDEST_REDIS = 7;

export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    throw new SetUpError(
      `Node ${OLDEST_NODE.join('.')} or later is needed; this is ${process.versions.node}.`,
    );
  }
}

/** Installs the packages of the lockfile when they are absent or older than it. */
export function ensurePackages() {
  const installed = 'node_modules/.package-lock.json';
  const isCurrent =
    existsSync(installed) && statSync(installed).mtimeMs >= statSync('package-lock.json').mtimeMs;
  if (isCurrent) {
    return;
  }
  say('Installing packages (npm ci) …');
  // No install scripts: nothing that we use needs one. Development packages always: they build the application.
  const args = [
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const npm = process.env.npm_execpath;
  const failed = npm ? !runs(process.execPath, [npm, ...args]) : !runs('npm', args);
  if (failed) {
    throw new SetUpError('npm ci failed. Its messages are above.');
  }
}

export function ensureRedisServer() {
  const packages = { debian: ['redis-server'], homebrew: ['redis'] };
  const version = findOrInstall(redisVersion, packages);
  if (!version || version < OLDEST_REDIS) {
    throw new SetUpError(
      [
        version
          ? `Redis ${OLDEST_REDIS} or later is needed; redis-server on this machine is version ${version}.`
          : 'redis-server was not found, and could not be installed here.',
        'Install it (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis),',
        'or name a cluster that runs already: REDIS_NODES=host:port,host:port npm start',
      ].join('\n'),
    );
  }
}

/** @returns the browser for the test of Swagger UI */
export function ensureChromium() {
  const packages = { debian: ['chromium'], homebrew: ['chromium'] };
  const chromium = findOrInstall(findChromium, packages);
  if (!chromium) {
    throw new SetUpError(
      'The test of Swagger UI needs Chromium. Install it, or set CHROMIUM to the path of a Chromium or Chrome.',
    );
  }
  return chromium;
}

/** The model checker. It reads a model by means of gcc, and writes a search in C for it. */
export function ensureSpin() {
  const packages = { debian: ['spin', 'gcc', 'libc6-dev'], homebrew: ['spin'] };
  if (!findOrInstall(() => isSpin() && compilesC(), packages)) {
    throw new SetUpError(
      [
        `The test of the near cache's model needs ${isSpin() ? 'gcc' : 'Spin (spinroot.com)'}.`,
        'Install both (Debian, Ubuntu: apt-get install spin gcc libc6-dev;',
        'macOS: brew install spin, and xcode-select --install for gcc).',
      ].join('\n'),
    );
  }
}

/** The load generator of the benchmarks. */
export function ensureWrk() {
  const packages = { debian: ['wrk'], homebrew: ['wrk'] };
  if (!findOrInstall(() => isCommand('wrk'), packages)) {
    throw new SetUpError(
      'The benchmarks need wrk. Install it (Debian, Ubuntu: apt-get install wrk; macOS: brew install wrk).',
    );
  }
}

/** @returns the proxy for the tests of docker/; what makes its certificate is there as well */
export function ensureNginx() {
  findOrInstall(() => isCommand('openssl'), { debian: ['openssl'], homebrew: ['openssl'] });
  // Where Debian puts it, which is not on everybody's path.
  const find = () => ['nginx', '/usr/sbin/nginx'].find(isCommand);
  const wasThere = find() !== undefined;
  const nginx = findOrInstall(find, { debian: ['nginx-light'], homebrew: ['nginx'] });
  if (!nginx || !isCommand('openssl')) {
    throw new SetUpError(
      [
        'The tests of docker/ need nginx and openssl. Install them',
        '(Debian, Ubuntu: apt-get install nginx-light openssl; macOS: brew install nginx openssl).',
      ].join('\n'),
    );
  }
  if (!wasThere && isCommand('systemctl')) {
    // The package starts a server of its own, which nobody asked for. Where there is no systemd, it does not.
    spawnSync('systemctl', ['disable', '--now', 'nginx'], { stdio: 'ignore' });
  }
  return nginx;
}

/** Whether the settings name a cluster that runs already. */
export function namesOwnCluster() {
  // As the loader of the settings: the environment wins over .env, and an empty value is none.
  if (process.env.REDIS_NODES !== undefined) {
    return process.env.REDIS_NODES !== '';
  }
  const pattern = /^\s*(?:export\s+)?REDIS_NODES\s*=\s*\S/m;
  return existsSync('.env') && pattern.test(readFileSync('.env', 'utf8'));
}

/** @returns whether the command ran to a good end; its output is shown */
export function runs(command, args, options = {}) {
  return spawnSync(command, args, { stdio: ['ignore', 2, 2], ...options }).status === 0;
}

export function say(text) {
  process.stderr.write(`${text}\n`);
}

function redisVersion() {
  const { status, stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  return status === 0 ? Number(/v=(\d+)/.exec(stdout)?.[1]) : undefined;
}

/** By its version, because there is another program of this name. */
function isSpin() {
  const { stdout } = spawnSync('spin', ['-V'], { encoding: 'utf8' });
  return stdout?.startsWith('Spin Version') ?? false;
}

function compilesC() {
  const input = '#include <stdio.h>\n';
  return spawnSync('gcc', ['-fsyntax-only', '-x', 'c', '-'], { input }).status === 0;
}

function findChromium() {
  const candidates = [
    process.env.CHROMIUM,
    'chromium',
    'chromium-browser',
    'google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ];
  for (const candidate of candidates) {
    if (!candidate) {
      continue;
    }
    if (candidate.includes('/')) {
      if (existsSync(candidate)) {
        return candidate;
      }
      continue;
    }
    const path = spawnSync('sh', ['-c', `command -v ${candidate}`], { encoding: 'utf8' }).stdout;
    if (path?.trim()) {
      return path.trim();
    }
  }
  return undefined;
}

/** @returns what `find` returns, after the packages were installed if it returned nothing at first */
function findOrInstall(find, packages) {
  const found = find();
  if (found) {
    return found;
  }
  install(packages);
  return find();
}

/** Tries the package manager of the machine; whether it worked is for the caller to see. */
function install({ debian, homebrew }) {
  if (platform() === 'darwin' && isCommand('brew')) {
    say(`Installing ${homebrew.join(', ')} (brew install) …`);
    runs('brew', ['install', ...homebrew]);
    return;
  }
  if (!isCommand('apt-get')) {
    return;
  }
  const isRoot = process.getuid?.() === 0;
  const maySudo = !isRoot && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
  if (!isRoot && !maySudo) {
    return;
  }
  say(`Installing ${debian.join(', ')} (apt-get install) …`);
  const prefix = maySudo ? ['sudo', '-n'] : [];
  const apt = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq'];
  for (const step of [['update'], ['install', '-y', '--no-install-recommends', ...debian]]) {
    const [command, ...args] = [...apt, ...step];
    runs(command, args, { stdio: ['ignore', 'ignore', 2] });
  }
}

function isCommand(name) {
  return spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0;
}
