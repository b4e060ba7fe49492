import { Body, Controller, Delete, HttpCode, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiExcludeController, ApiProperty } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { RefreshService, TokensResponse } from '../auth/index.js';
import { Public } from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import { Problem } from '../common/problem/index.js';
import { isText, MatchesRule } from '../common/validation/index.js';
import { RefreshCookie } from './refresh-cookie.js';
import { SameOriginGuard } from './same-origin.guard.js';

class BeginConsoleSessionRequest {
  @ApiProperty()
  @MatchesRule('refresh_token', isText)
  refresh_token!: string;
}

/** Without members. As a class, so that the body must be a JSON object: a form of another site cannot send one. */
class EmptyRequest {}

type ConsoleTokens = Omit<TokensResponse, 'refresh_token'>;

/**
 * Keeps the refresh token of the console where its scripts cannot read it. The page logs in with the public API and exchanges the
 * refresh token of the answer here, which spends it. These routes belong to the page and are not part of the public API.
 */
@Public()
@UseGuards(SameOriginGuard)
@ApiExcludeController()
@Controller('console/session')
export class ConsoleSessionController {
  constructor(private readonly refreshes: RefreshService) {}

  /** Ends the former session of the browser, whose only refresh token the new cookie replaces. */
  @Post()
  @HttpCode(200)
  async begin(
    @Body() { refresh_token }: BeginConsoleSessionRequest,
    @Req() { headers }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<ConsoleTokens> {
    const tokens = await this.exchange(refresh_token, reply, origin, deadline);
    if (!tokens) {
      throw new Problem('invalid-refresh-token');
    }
    const former = RefreshCookie.read(headers.cookie);
    if (former !== undefined) {
      await this.refreshes.endReplaced(former, tokens.session_id, origin, deadline);
    }
    return tokens;
  }

  /** 204 when there is no session: a page that nobody has signed in to asks too, and that is no error. */
  @Post('refresh')
  async refresh(
    @Body() _body: EmptyRequest,
    @Req() { headers }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<ConsoleTokens | undefined> {
    const refreshToken = RefreshCookie.read(headers.cookie);
    const tokens =
      refreshToken === undefined
        ? undefined
        : await this.exchange(refreshToken, reply, origin, deadline);
    if (tokens === undefined && refreshToken !== undefined) {
      void reply.header('Set-Cookie', RefreshCookie.none);
    }
    void reply.status(tokens ? 200 : 204);
    return tokens;
  }

  @Delete()
  @HttpCode(204)
  async end(
    @Req() { headers }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const refreshToken = RefreshCookie.read(headers.cookie);
    const result = refreshToken && (await this.refreshes.logout(refreshToken, origin, deadline));
    if (result && result.outcome === 'too-many-attempts') {
      throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
    }
    void reply.header('Set-Cookie', RefreshCookie.none);
  }

  private async exchange(
    refreshToken: string,
    reply: FastifyReply,
    origin: Origin,
    deadline: Deadline,
  ): Promise<ConsoleTokens | undefined> {
    const result = await this.refreshes.refresh(refreshToken, undefined, origin, deadline);
    switch (result.outcome) {
      case 'refreshed': {
        const { refresh_token, ...tokens } = TokensResponse.from(result.tokens);
        void reply.header('Set-Cookie', RefreshCookie.of(refresh_token));
        return tokens;
      }
      case 'refused':
        return undefined;
      case 'too-many-attempts':
        throw new Problem('too-many-attempts', { retryAfterSeconds: result.retryAfterSeconds });
    }
  }
}
