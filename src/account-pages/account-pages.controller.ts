import { Controller, Get, Header, Headers, Inject } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { Public } from '../common/authentication/index.js';
import { ContentSecurityPolicy, GlobalPrefix } from '../common/http/index.js';
import { languageOf, type Language } from '../common/problem/index.js';

import {
  ACCOUNT_PAGES_OPTIONS,
  type AccountPagesOptions,
} from './account-pages.module-definition.js';

type Page = 'reset-password' | 'verify-email';
type Texts = Readonly<
  Record<Page, Readonly<Record<'title' | 'action' | 'done', string>>> &
    Record<'label' | 'rule' | 'refused' | 'noToken' | 'invalid' | 'noScript' | 'failed', string>
>;

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const readTexts = (language: Language): Texts =>
  JSON.parse(read(`./locales/${language}.json`)) as Texts;

const TEXTS: Readonly<Record<Language, Texts>> = { en: readTexts('en'), zh: readTexts('zh') };
const SCRIPT = read('./browser/account-page.js');
const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem}' +
  'input,button{font:inherit;display:block;box-sizing:border-box;width:100%;margin:.5rem 0;padding:.5rem}';
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/**
 * The pages of the links in mails. The token is in the fragment of the URL, which browsers send to no server. The pages contain nothing
 * about users: a script sends the token to the API. Links are relative, because a proxy may strip a prefix. The pages have no global
 * prefix, and the API may have one.
 */
@Public()
@ContentSecurityPolicy(
  `default-src 'none'; script-src 'self'; style-src 'sha256-${STYLE_HASH}'; connect-src 'self'; base-uri 'none'; ` +
    "form-action 'none'; frame-ancestors 'none'",
)
@ApiExcludeController()
@Controller('account')
export class AccountPagesController {
  constructor(
    private readonly prefix: GlobalPrefix,
    @Inject(ACCOUNT_PAGES_OPTIONS) private readonly options: AccountPagesOptions,
  ) {}

  @Get('reset-password')
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Vary', 'Accept-Language')
  resetPassword(@Headers('accept-language') acceptLanguage?: string): string {
    const language = languageOf(acceptLanguage);
    return page('reset-password', language, this.prefix.path, field(language, this.options));
  }

  @Get('verify-email')
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Vary', 'Accept-Language')
  verifyEmail(@Headers('accept-language') acceptLanguage?: string): string {
    return page('verify-email', languageOf(acceptLanguage), this.prefix.path);
  }

  @Get('account-page.js')
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  script(): string {
    return SCRIPT;
  }
}

function field(language: Language, { passwordMinLength }: AccountPagesOptions): string {
  const { label, rule } = TEXTS[language];
  const hint = rule.replace('{{min}}', String(passwordMinLength));
  return (
    `<label>${label}<input type="password" name="newPassword" autocomplete="new-password" aria-describedby="rule" required></label>` +
    `<small id="rule">${hint}</small>`
  );
}

function page(name: Page, language: Language, apiPrefix: string, fields = ''): string {
  const texts = TEXTS[language];
  const { title, action, done } = texts[name];
  return `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} – Keyslot</title>
<style>${STYLE}</style></head>
<body><h1>${title}</h1>
<form data-page="${name}" data-api="..${apiPrefix}/api" data-done="${done}" data-no-token="${texts.noToken}" data-invalid="${texts.invalid}" data-refused="${texts.refused}" data-failed="${texts.failed}" hidden>
${fields}<button>${action}</button></form>
<p role="status">${texts.noScript}</p>
<script src="account-page.js"></script>
</body></html>
`;
}
