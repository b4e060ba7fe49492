import { chromium, type Browser, type Locator, type Page } from 'playwright-core';

export interface LiveAnswer {
  readonly status: string;
  readonly body: Record<string, unknown>;
}

/** A user of Swagger UI in a real browser. */
export class SwaggerUi {
  /** Errors in the browser console, except for responses with 401. */
  readonly complaints: string[] = [];

  private constructor(
    private readonly browser: Browser,
    readonly page: Page,
    /** The base URL of the API, as seen by the browser. */
    private readonly base: string,
  ) {
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('401')) {
        this.complaints.push(message.text());
      }
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
  }

  /**
   * @param url the URL of the API
   * @param options.shownAs another origin under which the browser loads and displays it
   * @param options.docs the path of the page, below the API
   * @param options.isPhone whether the browser is that of a phone, which respects the viewport of a page
   */
  static async open(
    url: string,
    options: { shownAs?: string; width?: number; docs?: string; isPhone?: boolean } = {},
  ): Promise<SwaggerUi> {
    const { shownAs = url, width = 1280, docs = '/docs', isPhone = false } = options;
    const browser = await chromium.launch({
      executablePath: process.env['CHROMIUM']!,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        `--host-resolver-rules=MAP ${new URL(shownAs).host} ${new URL(url).host}`,
      ],
    });
    const page = await browser.newPage({ viewport: { width, height: 800 }, isMobile: isPhone });
    const ui = new SwaggerUi(browser, page, shownAs);
    await ui.visit(docs);
    return ui;
  }

  private async visit(docs = '/docs'): Promise<void> {
    await this.page.goto(`${this.base}${docs}`);
    await this.page.locator('.opblock').first().waitFor();
  }

  /** Loads the page without stored data. */
  async startOver(docs?: string): Promise<void> {
    await this.page.evaluate('localStorage.clear()');
    this.complaints.length = 0;
    await this.visit(docs);
  }

  /** Undoes the changes of a test. This is faster than loading the page and opening its operations again. */
  async restore(): Promise<void> {
    await this.page.unrouteAll();
    await this.page.setViewportSize({ width: 1280, height: 800 });
    if (await this.isAuthorized()) {
      await this.signOut();
    }
  }

  async close(): Promise<void> {
    await this.browser.close();
  }

  /**
   * Executes the example of a route.
   *
   * @param fields of a form, by name. Default: unchanged
   */
  async execute(
    method: string,
    path: string,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<LiveAnswer> {
    const block = await this.opened(method, path);
    for (const [name, value] of Object.entries(fields)) {
      await block.locator(`[data-property-name="${name}"] input`).first().fill(value);
    }
    const { pathname } = new URL(`${this.base}${path}`);
    const answered = this.page.waitForResponse(
      (response) =>
        new URL(response.url()).pathname === pathname &&
        response.request().method() === method.toUpperCase(),
    );
    await block.locator('button.execute').click();
    const sent = String((await answered).status());
    // The answer of an earlier execution stays on the page until the spinner disappears.
    await block.locator('.loading-container').waitFor({ state: 'detached' });
    const answer = block.locator('.live-responses-table');
    const status = await answer.locator('tbody .response-col_status').first().innerText();
    const body = sent === '204' ? '{}' : await this.answerBody(method, path).innerText();
    return { status: status.trim(), body: JSON.parse(body) as Record<string, unknown> };
  }

  /** Changes the body that the page would send to a route. */
  async editBody(method: string, path: string, edit: (text: string) => string): Promise<void> {
    const text = (await this.opened(method, path)).locator('textarea.body-param__text');
    await text.fill(edit(await text.inputValue()));
  }

  /** The element that shows the live response of a route. */
  answerBody(method: string, path: string): Locator {
    return this.operation(method, path)
      .locator('.live-responses-table tbody .highlight-code code')
      .first();
  }

  async fold(method: string, path: string): Promise<void> {
    const block = this.operation(method, path);
    await block.locator('.opblock-summary-control').click();
    await block.locator('.opblock-body').waitFor({ state: 'detached' });
  }

  /** Whether the page sends a token, according to the lock on its button. */
  async isAuthorized(): Promise<boolean> {
    const button = this.page.locator('.auth-wrapper button.authorize').first();
    return (await button.getAttribute('class'))?.includes('unlocked') === false;
  }

  async authorizeDialog(): Promise<string> {
    await this.page.locator('.auth-wrapper button.authorize').first().click();
    const text = await this.page.locator('.dialog-ux').innerText();
    await this.page.locator('.dialog-ux button.btn-done').first().click();
    return text;
  }

  /** Authorizes with a pasted token. */
  async authorize(token: string): Promise<void> {
    await this.page.locator('.auth-wrapper button.authorize').first().click();
    await this.page.locator('.dialog-ux input').first().fill(token);
    await this.page.locator('.dialog-ux button.authorize').first().click();
    await this.page.locator('.dialog-ux button.btn-done').first().click();
  }

  /** Removes the token from the page. Its session stays live. */
  private async signOut(): Promise<void> {
    await this.page.locator('.auth-wrapper button.authorize').first().click();
    await this.page.locator('.dialog-ux button', { hasText: 'Logout' }).click();
    await this.page.locator('.dialog-ux button.btn-done').first().click();
  }

  private operation(method: string, path: string): Locator {
    return this.page.locator(`.opblock-${method}`, {
      has: this.page.locator(`[data-path="${path}"]`),
    });
  }

  private async opened(method: string, path: string): Promise<Locator> {
    const block = this.operation(method, path);
    if (!(await this.isOpen(block))) {
      await block.locator('.opblock-summary-control').click();
    }
    return block;
  }

  private async isOpen(block: Locator): Promise<boolean> {
    return (await block.getAttribute('class'))?.includes('is-open') ?? false;
  }
}
