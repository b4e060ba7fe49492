import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 375, height: 720 };

interface OpenOptions {
  readonly locale?: string;
  readonly width?: number;
}

/** The console in a real browser. */
export class ConsoleBrowser {
  /** Errors and warnings of the browser, which include violations of the content security policy. */
  readonly complaints: string[] = [];
  page!: Page;
  context!: BrowserContext;

  private constructor(private readonly browser: Browser) {}

  /** @param resolve host names as in `--host-resolver-rules` of Chromium */
  static async start(resolve = ''): Promise<ConsoleBrowser> {
    return new ConsoleBrowser(
      await chromium.launch({
        executablePath: process.env['CHROMIUM']!,
        args: [
          '--no-sandbox',
          '--disable-gpu',
          '--disable-quic',
          '--disable-background-networking',
          `--host-resolver-rules=${resolve}`,
        ],
      }),
    );
  }

  async stop(): Promise<void> {
    await this.browser.close();
  }

  /**
   * Opens the console in a new profile.
   *
   * @param url of the API
   */
  async open(
    url: string,
    { locale = 'en-US', width = DESK.width }: OpenOptions = {},
  ): Promise<void> {
    this.complaints.length = 0;
    await this.context?.close();
    this.context = await this.browser.newContext({
      locale,
      viewport: { ...DESK, width },
    });
    this.page = await this.newTab();
    await this.page.goto(`${url}/console`);
  }

  async resize(to: 'phone in the dark' | 'desk'): Promise<void> {
    const isPhone = to === 'phone in the dark';
    await this.page.setViewportSize(isPhone ? PHONE : DESK);
    await this.page.emulateMedia({ colorScheme: isPhone ? 'dark' : 'light' });
  }

  async newTab(): Promise<Page> {
    const page = await this.context.newPage();
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) {
        this.complaints.push(message.text());
      }
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    return page;
  }

  /** With the keyboard only. */
  async signIn(name: string, password: string): Promise<void> {
    const { page } = this;
    await page.locator('[name=username]').focus();
    await page.keyboard.type(name);
    await page.keyboard.press('Tab');
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.locator('header nav a').first().waitFor();
  }

  /** Opens a view, and waits for its heading. */
  async show(path: string, page = this.page): Promise<void> {
    await page.evaluate(`location.hash = ${JSON.stringify(path)}`);
    await page.locator('h1').first().waitFor();
  }

  /** Chooses an action by keyboard, and confirms it in its dialog. */
  async confirm(action: string, scope = 'main'): Promise<void> {
    const { page } = this;
    await page.locator(scope).getByRole('button', { name: action, exact: true }).first().focus();
    await page.keyboard.press('Enter');
    const dialog = page
      .locator('dialog')
      .filter({ has: page.getByRole('button', { name: action, exact: true }) });
    await dialog.waitFor();
    await dialog.getByRole('button', { name: action, exact: true }).focus();
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
  }

  /** Findings of axe that are serious or critical. */
  async inaccessible(): Promise<string[]> {
    if (!(await this.page.evaluate<boolean>('"axe" in window'))) {
      await this.page.evaluate(`(() => { const module = undefined; ${AXE}; })()`);
    }
    return this.page.evaluate<string[]>(
      `axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => id + ': ' + nodes[0].html + ' ' + nodes[0].failureSummary))`,
    );
  }

  /** By how many pixels the page is wider than the screen. */
  async overflow(): Promise<number> {
    return this.page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
  }
}
