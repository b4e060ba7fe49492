import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { endProcess } from '../support/end-process.js';
import { freePort } from '../support/free-port.js';
import { HttpClient } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { codeBlocks } from '../support/markdown.js';
import { basic, postForm, tokenOf, type TestAccount } from '../support/service-accounts.js';

const ISSUER = 'http://127.0.0.1:3000';
const page = codeBlocks(readFileSync('docs/service-accounts.md', 'utf8'));
const run = promisify(execFile);

/** The clients of docs/service-accounts.md, unchanged, against a real instance. */
describe('the documented clients of service accounts', () => {
  let api: Instance;
  let root: string;
  let folder: string;
  let account: TestAccount;
  const running: ChildProcess[] = [];
  beforeAll(async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const prefix = `t-docs-${port}:`;
    api = await Instance.start({
      ...WITH_ADMINISTRATOR,
      REDIS_KEY_PREFIX: prefix,
      JWT_ISSUER: url,
      PORT: String(port),
    });
    root = (await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME)).body.access_token;
    folder = mkdtempSync(join(tmpdir(), 'keyslot-clients-'));
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    account = JSON.parse(await shell('POST /api/service-accounts')) as TestAccount;
  });
  afterAll(async () => {
    await Promise.all(running.map(async (child) => endProcess(child, 'SIGTERM')));
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs the first command of the page that contains a text. */
  const shell = async (what: string): Promise<string> => {
    const path = what.split(' ').at(-1)!;
    const { text } = page.find(
      ({ language, text: one }) => language === 'sh' && one.includes(path),
    )!;
    const command = text.replaceAll(ISSUER, api.url);
    const env = { ...process.env, TOKEN: root, ...credentials() };
    return (await run('sh', ['-euc', command], { env })).stdout;
  };
  const credentials = (): Record<string, string> =>
    account ? { CLIENT_ID: account.id, CLIENT_SECRET: account.clientSecret } : {};
  const program = (name: string): string => {
    const { text } = page.find(({ text: one }) => one.startsWith(`// ${name}\n`))!;
    const file = join(folder, name);
    writeFileSync(file, text.replaceAll(ISSUER, api.url));
    return file;
  };
  const output = async (name: string, env: Record<string, string> = {}): Promise<string> => {
    const all = { ...process.env, ...credentials(), NO_COLOR: '1', ...env };
    return (await run(process.execPath, [program(name)], { env: all })).stdout;
  };

  it('are created and get tokens with curl', async () => {
    expect(account).toMatchObject({ name: 'order reports', permissions: ['orders:read'] });
    expect(JSON.parse(await shell('/oauth/token'))).toMatchObject({ token_type: 'Bearer' });
  });

  it('work with openid-client: token, introspection and revocation', async () => {
    const [before, after] = (await output('openid-client.mjs')).split(/(?<=\})\n/);
    expect(before).toMatch(/active: true,\s+scope: 'orders:read'/);
    expect(after).toBe('{ active: false }');
  });

  it('work with openid-client and a private key', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const keyFile = join(folder, 'key.pem');
    writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const body = { name: 'with a key', jwks: { keys: [publicKey.export({ format: 'jwk' })] } };
    const created = await api.request('POST', '/api/service-accounts', { token: root, body });
    expect(created.status).toBe(201);

    const shown = await output('private-key-jwt.mjs', {
      CLIENT_ID: String(created.body['id']),
      KEY_FILE: keyFile,
    });

    expect(shown).toMatch(/access_token: 'eyJ/);
  });

  it('work with oauth4webapi', async () => {
    expect(await output('oauth4webapi.mjs')).toMatch(/access_token: 'eyJ.*expires_in: 900/s);
  });

  it.each(['jose.mjs', 'jsonwebtoken.mjs'])(
    'are verified by their signature alone: %s',
    async (name) => {
      const token = await tokenOf(api, account, { audience: 'orders', scope: 'orders:read' });
      expect(await output(name, { TOKEN: token })).toMatch(/scope: 'orders:read'/);
      const foreign = await tokenOf(api, account);
      const refused = await output(name, { TOKEN: foreign }).catch(
        ({ stderr }: { stderr: string }) => stderr,
      );
      expect(refused).toMatch(/unexpected "aud" claim value|jwt audience invalid/);
    },
  );

  it('are verified by express-oauth2-jwt-bearer', async () => {
    const port = await freePort();
    const env = { ...process.env, PORT: String(port) };
    const child = spawn(process.execPath, [program('express.mjs')], { env });
    running.push(child);
    await once(child.stdout, 'data');
    const service = new HttpClient(`http://127.0.0.1:${port}`);
    const status = async (token?: string): Promise<number> =>
      (await service.request('GET', '/orders', token === undefined ? {} : { token })).status;

    const audience = 'orders';
    const token = await tokenOf(api, account, { audience, scope: 'orders:read' });
    expect(await status(token)).toBe(200);
    expect(await status(await tokenOf(api, account, { audience }))).toBe(403);
    expect(await status(await tokenOf(api, account))).toBe(401);
    expect(await status()).toBe(401);
    // What the page says about services that only check signatures.
    expect((await postForm(api, '/oauth/revoke', { token }, basic(account))).status).toBe(200);
    expect(await status(token)).toBe(200);
    const state = await postForm(api, '/oauth/introspect', { token }, basic(account));
    expect(state.body).toEqual({ active: false });
  });
});
