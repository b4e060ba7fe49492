import { Controller, Get, Header, Headers, Param } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

import { Public } from '../common/authentication/index.js';
import { ContentSecurityPolicy } from '../common/http/index.js';
import {
  languageOf,
  pageText,
  Problem,
  PROBLEM_CODES,
  PROBLEMS,
  problemText,
  type Language,
  type ProblemCode,
} from '../common/problem/index.js';

/** Serves the page of each problem `type`. Links are relative, because a proxy may strip a prefix. */
@Public()
@ContentSecurityPolicy("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
@ApiExcludeController()
@Controller('problems')
export class ProblemPagesController {
  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Vary', 'Accept-Language')
  list(@Headers('accept-language') acceptLanguage?: string): string {
    const language = languageOf(acceptLanguage);
    const items = PROBLEM_CODES.map(
      (code) =>
        `<li><a href="problems/${code}"><code>${code}</code></a> ${problemText(code, 'title', language)}</li>`,
    );
    return page(language, pageText('allProblems', language), `<ul>${items.join('')}</ul>`);
  }

  @Get(':code')
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Vary', 'Accept-Language')
  show(@Param('code') code: string, @Headers('accept-language') acceptLanguage?: string): string {
    if (!isProblemCode(code)) {
      throw new Problem('not-found');
    }
    const language = languageOf(acceptLanguage);
    return page(
      language,
      problemText(code, 'title', language),
      [
        `<p><code>${code}</code> · ${pageText('status', language)} ${PROBLEMS[code].status}</p>`,
        `<h2>${pageText('whatItMeans', language)}</h2><p>${escaped(problemText(code, 'detail', language))}</p>`,
        `<h2>${pageText('whatToDo', language)}</h2><p>${escaped(problemText(code, 'help', language))}</p>`,
        `<p><a href="../problems">${pageText('allProblems', language)}</a></p>`,
      ].join('\n'),
    );
  }
}

function isProblemCode(code: string): code is ProblemCode {
  return PROBLEM_CODES.some((known) => known === code);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function page(language: Language, title: string, content: string): string {
  return `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} – Keyslot</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}</style></head>
<body><h1>${title}</h1>
${content}
</body></html>
`;
}
