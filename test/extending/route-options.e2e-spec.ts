import { Body, ConflictException, Controller, Get, HttpCode, Module, Post } from '@nestjs/common';

import { Public } from '../../src/common/authentication/index.js';
import {
  ContentSecurityPolicy,
  FormBody,
  OAuthError,
  OAuthErrors,
} from '../../src/common/http/index.js';
import { isText, MatchesRule } from '../../src/common/validation/index.js';
import { RedisUnavailableError } from '../../src/redis-cluster/index.js';
import type { Answer } from '../support/http-client.js';
import { rawHttp, statusOf } from '../support/raw-http.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const FORM = 'application/x-www-form-urlencoded';
const POLICY = "default-src 'self'";

class TokenRequest {
  @MatchesRule('isText', isText) grant_type!: string;
}

/** Exceptions of these routes. */
const ERRORS: Readonly<Record<string, () => Error>> = {
  client: () => new OAuthError('invalid_client', 'who is "this"?'),
  grant: () => new OAuthError('invalid_grant', 'spent'),
  module: () => new ConflictException('busy'),
  redis: () => new RedisUnavailableError('10.0.0.7 is away'),
  mistake: () => new TypeError('x of undefined'),
};

@Public()
@FormBody()
@OAuthErrors()
@Controller('oauth/sample')
class OAuthController {
  @Post()
  @HttpCode(200)
  grant(@Body() body: TokenRequest): object {
    const error = ERRORS[body.grant_type]?.();
    if (error) {
      throw error;
    }
    return { ...body };
  }
}

@Public()
@Controller('oauth/json')
class JsonController {
  @Post() @HttpCode(200) read(@Body() body: TokenRequest): object {
    return { ...body };
  }

  @Get() @ContentSecurityPolicy(POLICY) page(): string {
    return 'page';
  }

  @Get('other') other(): string {
    return 'other';
  }
}

@Module({ controllers: [OAuthController, JsonController] })
class SampleModule {}

describe('a route with options for its body and its errors', () => {
  let api: TestApp;
  beforeAll(async () => (api = await startTestApp({}, { imports: [SampleModule] })));
  afterAll(async () => api.close());

  const post = async (body: string, type = FORM, path = '/oauth/sample'): Promise<Answer> =>
    api.request('POST', path, { body, headers: { 'content-type': type } });
  const expectOAuthError = (answer: Answer, status: number, error: string): string => {
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(Object.keys(answer.body)).toEqual(['error', 'error_description']);
    expect(answer.body['error']).toBe(error);
    expect(answer.body['error_description']).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
    return String(answer.body['error_description']);
  };

  it.each([FORM, `${FORM}; charset=UTF-8`, 'Application/X-WWW-Form-URLencoded;a=b'])(
    'reads a form: %s',
    async (type) => {
      expect(await post('grant_type=a+b%C3%A4', type)).toMatchObject({
        status: 200,
        body: { grant_type: 'a bä' },
      });
    },
  );

  it('is not cached at any path, also after a success', async () => {
    expect((await post('grant_type=x')).headers.get('cache-control')).toBe('no-store');
    const get = await api.request('GET', '/oauth/json/other');
    expect([get.status, get.headers.get('cache-control')]).toEqual([200, 'no-store']);
  });

  it.each([
    ['JSON', '{"grant_type":"x"}', 'application/json', 415],
    ['text', 'grant_type=x', 'text/plain', 415],
    ['a form in another charset', 'grant_type=x', `${FORM}; charset=utf-16`, 415],
    ['a repeated field', 'grant_type=x&grant_type=x', FORM, 400],
    ['bytes that are no UTF-8', 'grant_type=%ff', FORM, 400],
    ['a field that it does not know', 'grant_type=x&more=1', FORM, 400],
    ['no field', '', FORM, 400],
    ['the name of a member of all objects', 'grant_type=x&toString=1', FORM, 400],
    ['too many fields', Array.from({ length: 1001 }, (_, i) => `f${i}=`).join('&'), FORM, 400],
    ['too many bytes', `grant_type=${'x'.repeat(64 * 1024)}`, FORM, 413],
  ])('refuses %s', async (_, body, type, status) => {
    expectOAuthError(await post(body, type), status, 'invalid_request');
  });

  it('refuses a form that exceeds the limit while it is read, without a declared length', async () => {
    const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`;
    const answer = await rawHttp(
      api.url,
      [
        'POST /oauth/sample HTTP/1.1',
        'Host: x',
        'Connection: close',
        `Content-Type: ${FORM}`,
        'Transfer-Encoding: chunked',
        '',
        `${chunk.repeat(17)}0\r\n\r\n`,
      ].join('\r\n'),
    );

    expect(statusOf(answer)).toBe(413);
    expect(answer).toContain('"error":"invalid_request"');
  });

  it.each([
    ['client', 401, 'invalid_client', "who is 'this'?"],
    ['grant', 400, 'invalid_grant', 'spent'],
    ['module', 400, 'invalid_request', undefined],
    ['redis', 503, 'temporarily_unavailable', undefined],
    ['mistake', 500, 'server_error', undefined],
  ])(
    'answers an error of a handler in the format of RFC 6749: %s',
    async (name, status, code, text) => {
      const answer = await post(`grant_type=${name}`);

      const description = expectOAuthError(answer, status, code);
      expect(description).toBe(text ?? description);
      expect(description).not.toMatch(/undefined|10\.0/);
      expect(answer.headers.get('www-authenticate')).toBe(
        status === 401 ? 'Basic realm="keyslot"' : null,
      );
      expect(answer.headers.has('retry-after')).toBe(status === 503);
    },
  );

  it('uses the same format for an unsupported method', async () => {
    const answer = await api.request('DELETE', '/oauth/sample');

    expectOAuthError(answer, 405, 'invalid_request');
    expect(answer.headers.get('allow')).toBe('POST');
  });

  it('does not change other routes', async () => {
    expect((await post('{"grant_type":"x"}', 'application/json', '/oauth/json')).status).toBe(200);
    const form = await post('grant_type=x', FORM, '/oauth/json');
    expect(form).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } });
    const missing = await api.request('GET', '/oauth/nothing');
    expect(missing).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });

  it('has the content security policy of its decorator, unlike other routes', async () => {
    const policyOf = async (path: string): Promise<string | null> =>
      (await api.request('GET', path)).headers.get('content-security-policy');

    expect(await policyOf('/oauth/json')).toBe(POLICY);
    expect(await policyOf('/oauth/json/other')).toBe("default-src 'none'; frame-ancestors 'none'");
  });
});
