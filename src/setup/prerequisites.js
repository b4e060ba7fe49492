// Checks and installs the prerequisites. Plain JavaScript without packages, because it runs before they are installed.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { platform } from 'node:os';

/** A set-up step that failed. The message has a remedy. */
export class SetUpError extends Error {}

const MIN_NODE = [20, 19];
const MIN_REDIS = 7;

export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1])) {
    throw new SetUpError(
      `Node ${MIN_NODE.join('.')} or later is required. This is ${process.versions.node}.`,
    );
  }
}

/** Installs the packages when they are missing or older than the lockfile. */
export function ensurePackages() {
  const installed = 'node_modules/.package-lock.json';
  const isCurrent =
    existsSync(installed) && statSync(installed).mtimeMs >= statSync('package-lock.json').mtimeMs;
  if (isCurrent) {
    return;
  }
  say('Installing packages (npm ci) …');
  // No install scripts, because no package needs one. With development packages, because they build the application.
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
    throw new SetUpError('npm ci failed. Its output is above.');
  }
}

export function ensureRedisServer() {
  const packages = { debian: ['redis-server'], homebrew: ['redis'] };
  const version = findOrInstall(redisVersion, packages);
  if (!version || version < MIN_REDIS) {
    throw new SetUpError(
      [
        version
          ? `Redis ${MIN_REDIS} or later is required. The version of redis-server is ${version}.`
          : 'redis-server was not found and could not be installed.',
        'Install it (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis),',
        'or use a running cluster: REDIS_NODES=host:port,host:port npm start',
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

/** The model checker Spin. It preprocesses models with gcc, and generates a verifier in C. */
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

/** Ensures nginx and openssl. @returns the command of nginx, for tests with a proxy */
export function ensureNginx() {
  findOrInstall(() => isCommand('openssl'), { debian: ['openssl'], homebrew: ['openssl'] });
  // Debian installs it in /usr/sbin, which may not be on the PATH.
  const find = () => ['nginx', '/usr/sbin/nginx'].find(isCommand);
  const wasThere = find() !== undefined;
  const nginx = findOrInstall(find, { debian: ['nginx-light'], homebrew: ['nginx'] });
  if (!nginx || !isCommand('openssl')) {
    throw new SetUpError(
      [
        'Tests with a proxy need nginx and openssl. Install them',
        '(Debian, Ubuntu: apt-get install nginx-light openssl; macOS: brew install nginx openssl).',
      ].join('\n'),
    );
  }
  if (!wasThere && isCommand('systemctl')) {
    // With systemd, the package starts an nginx service, which is not wanted here.
    spawnSync('systemctl', ['disable', '--now', 'nginx'], { stdio: 'ignore' });
  }
  return nginx;
}

/** Whether REDIS_NODES is set, in the environment or in .env. */
export function namesOwnCluster() {
  // The same rules as in src/config: the environment overrides .env, and an empty value counts as unset.
  if (process.env.REDIS_NODES !== undefined) {
    return process.env.REDIS_NODES !== '';
  }
  const pattern = /^\s*(?:export\s+)?REDIS_NODES\s*=\s*\S/m;
  return existsSync('.env') && pattern.test(readFileSync('.env', 'utf8'));
}

/** Runs a command and shows its output. @returns whether it succeeded */
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

/** Checks the version output, because another program has the same name. */
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

/** Calls `find`, and if it returns nothing, installs the packages and calls it again. */
function findOrInstall(find, packages) {
  const found = find();
  if (found) {
    return found;
  }
  install(packages);
  return find();
}

/** Tries the package manager of the machine. The caller must check the outcome. */
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
