import type { CDPSession, Locator } from 'playwright-core';

import { ConsoleBrowser } from '../support/console-browser.js';
import { GOOD_PASSWORD, type Tokens } from '../support/http-client.js';
import { MailServer, tokenIn } from '../support/mail-server.js';
import { mailVariables, userWithMail, verify } from '../support/mails.js';
import { ageLogin } from '../support/older-login.js';
import { codesOf } from '../support/second-factors.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/** Browsers accept passkeys and cookies with `Secure` at this origin. */
const ORIGIN = 'http://localhost:3999';
const NEW_PASSWORD = 'another violet engine';
const EMAIL = 'new@example.org';

/** The account page of a user with second factors. */
describe('the account page of the console', () => {
  let server: MailServer;
  let api: TestApp;
  let browser: ConsoleBrowser;
  let username: string;
  let id: string;
  let session: Tokens;
  let codes: string[];
  let recoveryCodes: string[];
  beforeAll(async () => {
    server = await MailServer.start();
    api = await startTestApp({ ...mailVariables(server), PUBLIC_URL: ORIGIN });
    ({ username, id } = await api.newUser());
    browser = await ConsoleBrowser.start(`MAP ${new URL(ORIGIN).host} ${new URL(api.url).host}`);
    await browser.open(ORIGIN);
    await browser.page.clock.install();
    session = await beginning(async () => browser.signIn(username, GOOD_PASSWORD));
  });
  afterAll(async () => {
    await browser.stop();
    await api.close();
    await server.stop();
  });

  /** @returns the session of the page that this begins */
  const beginning = async (work: () => Promise<unknown>): Promise<Tokens> => {
    const [response] = await Promise.all([
      browser.page.waitForResponse(
        (answer) =>
          // Not the answer to the end of the former session, which may still be on its way.
          answer.request().method() === 'POST' &&
          answer.url().endsWith('/console/session') &&
          answer.ok(),
      ),
      work(),
    ]);
    return (await response.json()) as Tokens;
  };
  const text = async (wanted: RegExp | string): Promise<void> =>
    browser.page.getByText(wanted).first().waitFor();
  const press = async (
    name: string,
    scope: Pick<Locator, 'getByRole'> = browser.page,
  ): Promise<void> => scope.getByRole('button', { name, exact: true }).click();
  const dialog = (title: string): Locator => browser.page.getByRole('dialog', { name: title });
  const factor = (type: string): Locator =>
    browser.page
      .getByRole('region', { name: 'Second factors' })
      .getByRole('row', { name: new RegExp(`^${type}`) });
  const profile = async (): Promise<unknown> => (await api.ownUser(session.access_token)).body;
  /** The last login was more than ten minutes ago, and the access token of the page has expired. */
  const later = async (): Promise<void> => {
    await ageLogin(api, id, session.session_id);
    await browser.page.clock.fastForward('15:00');
  };
  /** Answers the question who the user is. */
  const prove = async (password: string, present: (asked: Locator) => Promise<void>) => {
    const asked = dialog('Confirm that it is you');
    await asked.getByLabel('Password').fill(password);
    await press('Continue', asked);
    await present(asked);
    await asked.waitFor({ state: 'detached' });
  };
  const withProof = (proof: string) => async (asked: Locator | typeof browser.page) => {
    await asked.locator('[name=proof]').fill(proof);
    await press('Continue', asked);
  };
  const withRecoveryCode = async (asked: Locator | typeof browser.page): Promise<void> => {
    await press('Use a recovery code', asked);
    await withProof(recoveryCodes.pop()!)(asked);
  };

  it('adds an authenticator application, and shows recovery codes once', async () => {
    const { page } = browser;
    await text('No second factor.');
    await press('Add an authenticator application');
    const enrolment = dialog('Add an authenticator application');
    await press('Cancel', enrolment);
    await enrolment.waitFor({ state: 'detached' });
    await press('Add an authenticator application');
    codes = codesOf((await enrolment.locator('code').textContent())!);
    expect(await browser.inaccessible()).toEqual([]);
    await enrolment.locator('[name=code]').fill(codes.shift()!);
    await press('Confirm', enrolment);
    await factor('Authenticator application').waitFor();

    await browser.confirm('New recovery codes');
    recoveryCodes = (await page.locator('dialog pre').textContent())!.split('\n');
    expect(recoveryCodes).toHaveLength(10);
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain(recoveryCodes[0]);
  });

  it('asks again who the user is before a new e-mail address, and then changes it (43)', async () => {
    const { page } = browser;
    await later();
    await page.getByLabel('E-mail address').fill(EMAIL);
    await press('Save');
    expect(await browser.inaccessible()).toEqual([]);
    await press('Cancel', dialog('Confirm that it is you'));
    await page.getByRole('alert').waitFor();
    expect(await profile()).toMatchObject({ email: null });

    await press('Save');
    let attempts = 0;
    page.on('request', (request) => {
      attempts += request.url().endsWith('/reauthentication') ? 1 : 0;
    });
    const asked = dialog('Confirm that it is you');
    const refusal = async (wanted: string): Promise<void> => {
      await asked.getByRole('alert').getByText(wanted).waitFor();
      expect(await profile()).toMatchObject({ email: null });
    };
    await asked.getByLabel('Password').fill(NEW_PASSWORD);
    await press('Continue', asked);
    await refusal('This is not the current password of the user.');
    await prove(GOOD_PASSWORD, async () => {
      await withProof('000000')(asked);
      await refusal('The code or the other proof of the second factor is wrong');
      await withProof(codes.shift()!)(asked);
    });
    // The recovery codes have said it too.
    await page.locator('form', { hasText: 'E-mail address' }).getByText('Saved.').waitFor();
    expect(await profile()).toMatchObject({ email: EMAIL });
    // Each proof was presented once, because the wrong ones count: two passwords and two codes.
    expect(attempts).toBe(4);
  });

  it('mails a link that confirms the new address', async () => {
    await text('You have not confirmed this address.');
    await press('Mail a link to confirm the address');
    await text('The mail is on its way.');
    const mail = await server.mailTo(EMAIL, 1);
    expect((await verify(api, tokenIn(mail))).status).toBe(204);
    expect(await profile()).toMatchObject({ email: EMAIL, emailVerified: true });
    await browser.page.reload();
    await browser.page.getByRole('button', { name: 'New recovery codes' }).waitFor();
    await browser.page.locator(`[name=email]`).waitFor();
    expect(await browser.page.content()).not.toContain('You have not confirmed');
  });

  it('changes the password after that proof, and signs in with it in two steps', async () => {
    const { page } = browser;
    await page.getByLabel('Current password').fill(GOOD_PASSWORD);
    await page.getByLabel('New password').fill(NEW_PASSWORD);
    await press('Change the password');
    await text('The password was changed.');

    await press('Sign out');
    await page.locator('[name=username]:focus').fill(username);
    await page.getByLabel('Password').fill(NEW_PASSWORD);
    await press('Sign in');
    await page.locator('[name=proof]:focus').waitFor();
    session = await beginning(async () => withRecoveryCode(page));
    await page.getByRole('heading', { level: 1, name: 'Your account' }).waitFor();
  });

  it('adds a passkey, proves with it that it is the user, and signs in with it alone', async () => {
    const { page } = browser;
    const devTools: CDPSession = await browser.context.newCDPSession(page);
    await devTools.send('WebAuthn.enable');
    await devTools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    await press('Add a passkey');
    await factor('Passkey').waitFor();

    await later();
    await page.reload();
    await press('Show the second factors');
    await press('Use a passkey', dialog('Confirm that it is you'));
    await factor('Passkey').waitFor();

    await press('Sign out');
    session = await beginning(async () => press('Sign in with a passkey'));
    await factor('Authenticator application').waitFor();
  });

  it('removes a factor after a new proof, which it asks for over its confirmation (43)', async () => {
    await later();
    await factor('Authenticator application').getByRole('button', { name: 'Remove' }).click();
    await press('Remove', browser.page.getByRole('dialog'));
    await prove(NEW_PASSWORD, withRecoveryCode);

    await text(/^Done\./);
    await factor('Authenticator application').waitFor({ state: 'detached' });
  });

  it('deletes the account after a new proof, with the right password only', async () => {
    const { page } = browser;
    await later();
    await press('Delete your account');
    const asked = dialog(`Delete your account: ${username}`);
    const submit = async (password: string): Promise<void> => {
      await asked.getByLabel('Password').fill(password);
      await press('Delete your account', asked);
    };
    expect(await browser.inaccessible()).toEqual([]);
    await submit(GOOD_PASSWORD);
    await prove(NEW_PASSWORD, withRecoveryCode);
    await asked.getByText('This is not the current password of the user.').waitFor();
    expect(await profile()).toMatchObject({ username });

    await submit(NEW_PASSWORD);
    await page.getByRole('status').getByText('Your account was deleted.').waitFor();
    await page.locator('main:focus').waitFor();
    expect((await api.ownUser(session.access_token)).status).toBe(401);
    expect(await browser.context.cookies()).not.toContainEqual(
      expect.objectContaining({ name: '__Host-keyslot-console' }),
    );
    await page.getByLabel('User name').fill(username);
    await page.getByLabel('Password').fill(NEW_PASSWORD);
    await press('Sign in');
    await page.getByRole('alert').getByText('No user has this name and password.').waitFor();
    expect(browser.complaints.filter((one) => !/40[13]/.test(one))).toEqual([]);
  });

  it('offers a link by mail to those who forgot their password, who then sign in with a new one', async () => {
    const { page } = browser;
    const user = await userWithMail(api, server);
    await press('Forgot your password?');
    await page.getByLabel('Or the e-mail address').fill(user.email);
    await press('Send a link');
    await text('If the account has a confirmed e-mail address');
    const mail = await server.mailAbout(user.email, 'Set a new password');

    const tab = await browser.newTab();
    await tab.goto(/http:\S+#token=\S+/.exec(mail.text)![0]);
    await tab.locator('input').fill(NEW_PASSWORD);
    await tab.locator('button').click();
    await tab.getByText('The password was set').waitFor();

    await press('Back');
    await page.getByLabel('User name').fill(user.username);
    await page.getByLabel('Password').fill(GOOD_PASSWORD);
    await press('Sign in');
    await text('No user has this name and password.');
    await page.getByLabel('Password').fill(NEW_PASSWORD);
    await press('Sign in');
    await page.getByRole('heading', { level: 1, name: 'Your account' }).waitFor();
    await text(user.username);
  });
});
