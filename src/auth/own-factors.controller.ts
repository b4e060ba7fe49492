import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';

import {
  CurrentUser,
  RequireRecentLogin,
  RequireUnlimitedToken,
  USER_PROBLEMS,
  WithoutSecondFactor,
  type UserPrincipal,
} from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { RequestOrigin, type Origin } from '../common/origin/index.js';
import { ApiProblems } from '../common/api-problems/index.js';
import {
  BODY_PROBLEMS,
  invalidRequest,
  Problem,
  STRAY_BODY_PROBLEMS,
} from '../common/problem/index.js';
import { EntityIdPipe } from '../common/validation/index.js';
import { OwnFactors } from '../credentials/index.js';
import { FactorResponse, FactorsResponse } from '../users/index.js';
import { AddPasskeyRequest } from './dto/passkey.request.dto.js';
import {
  ConfirmTotpRequest,
  RecoveryCodesResponse,
  TotpEnrolmentResponse,
} from './dto/factors.dto.js';

const RECENT =
  'Requires a login or a reauthentication within the last ten minutes (`POST /api/user/reauthentication`).';

const CHANGE_PROBLEMS = [...USER_PROBLEMS, 'reauthentication-required', 'not-confirmed'] as const;

/** Each route requires a recent login, also the list: it tells somebody with a stolen token what else to steal. */
@ApiTags('Own factors')
@RequireUnlimitedToken()
@RequireRecentLogin()
@WithoutSecondFactor()
@Controller('api/user/factors')
export class OwnFactorsController {
  constructor(private readonly factors: OwnFactors) {}

  @Get()
  @ApiOperation({
    operationId: 'listOwnFactors',
    summary: 'List your second factors',
    description: `Lists the confirmed factors, the oldest first. ${RECENT}`,
  })
  @ApiOkResponse({ type: FactorsResponse, description: 'Your factors.' })
  @ApiProblems(...USER_PROBLEMS, 'reauthentication-required')
  async list(
    @CurrentUser() principal: UserPrincipal,
    @RequestDeadline() deadline: Deadline,
  ): Promise<FactorsResponse> {
    return FactorsResponse.from(await this.factors.list(principal.userId, deadline));
  }

  @Post('totp')
  @HttpCode(201)
  @ApiOperation({
    operationId: 'addTotp',
    summary: 'Add an authenticator application',
    description: `Returns a new secret. It counts after \`POST /api/user/factors/totp/confirm\` within 15 minutes. ${RECENT}`,
  })
  @ApiCreatedResponse({ type: TotpEnrolmentResponse, description: 'Shown once.' })
  @ApiProblems(...STRAY_BODY_PROBLEMS, ...CHANGE_PROBLEMS, 'too-many-factors')
  async addTotp(
    @CurrentUser() principal: UserPrincipal,
    @RequestDeadline() deadline: Deadline,
  ): Promise<TotpEnrolmentResponse> {
    const result = await this.factors.beginTotp(principal, deadline);
    if (result.outcome !== 'begun') {
      throw notChanged(result.outcome);
    }
    const { id, secret, uri, qr } = result;
    return { id, secret, uri, qr };
  }

  @Post('totp/confirm')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'confirmTotp',
    summary: 'Confirm an authenticator application',
    description: `With its first code. It is then required at each login, and replaces a former one. All your other sessions end. ${RECENT}`,
  })
  @ApiNoContentResponse({ description: 'The application is required from now on.' })
  @ApiProblems(...BODY_PROBLEMS, ...CHANGE_PROBLEMS, 'not-found')
  async confirmTotp(
    @CurrentUser() principal: UserPrincipal,
    @Body() { id, code }: ConfirmTotpRequest,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const enrolled = { type: 'totp', factorId: id, proof: code };
    const result = await this.factors.confirm(principal, enrolled, origin, deadline);
    if (result === 'wrong') {
      throw invalidRequest({ code: { code: 'wrong-code' } });
    }
    if (typeof result === 'string') {
      throw notChanged(result);
    }
  }

  @Post('passkeys/options')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'addPasskeyOptions',
    summary: 'Add a passkey: the options',
    description:
      'The argument of `navigator.credentials.create`, as JSON (WebAuthn `PublicKeyCredentialCreationOptionsJSON`). Valid for ' +
      `five minutes. ${RECENT}`,
  })
  @ApiOkResponse({ type: Object, description: 'For the browser.' })
  @ApiProblems(...STRAY_BODY_PROBLEMS, ...CHANGE_PROBLEMS, 'too-many-factors')
  async passkeyOptions(
    @CurrentUser() principal: UserPrincipal,
    @RequestDeadline() deadline: Deadline,
  ): Promise<object> {
    const result = await this.factors.beginPasskey(principal, deadline);
    if (result.outcome !== 'begun') {
      throw notChanged(result.outcome);
    }
    return result.options;
  }

  @Post('passkeys')
  @HttpCode(201)
  @ApiOperation({
    operationId: 'addPasskey',
    summary: 'Add a passkey',
    description:
      'Send what `navigator.credentials.create` returned (WebAuthn `RegistrationResponseJSON`), and a `name`. A login then requires ' +
      `a second factor, or this passkey alone. All your other sessions end. ${RECENT}`,
  })
  @ApiCreatedResponse({ type: FactorResponse, description: 'The passkey.' })
  @ApiProblems(...BODY_PROBLEMS, ...CHANGE_PROBLEMS, 'not-found')
  async addPasskey(
    @CurrentUser() principal: UserPrincipal,
    @Body() { name, ...proof }: AddPasskeyRequest,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<FactorResponse> {
    const enrolled = { type: 'passkey', name, proof };
    const result = await this.factors.confirm(principal, enrolled, origin, deadline);
    if (result === 'wrong') {
      throw invalidRequest({ response: { code: 'wrong-passkey' } });
    }
    if (typeof result === 'string') {
      throw notChanged(result);
    }
    return FactorResponse.from(result);
  }

  @Post('recovery-codes')
  @HttpCode(201)
  @ApiOperation({
    operationId: 'createRecoveryCodes',
    summary: 'Create recovery codes',
    description:
      'Ten codes, for a user who has lost the authenticator application or the passkeys. Each counts once. They are shown once, and replace the former ' +
      `codes. All your other sessions end. ${RECENT}`,
  })
  @ApiCreatedResponse({ type: RecoveryCodesResponse, description: 'Shown once.' })
  @ApiProblems(...STRAY_BODY_PROBLEMS, ...CHANGE_PROBLEMS, 'no-second-factor', 'too-many-factors')
  async createRecoveryCodes(
    @CurrentUser() principal: UserPrincipal,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<RecoveryCodesResponse> {
    const result = await this.factors.createCodes(principal, origin, deadline);
    if (result.outcome !== 'created') {
      throw notChanged(result.outcome);
    }
    return { codes: result.codes };
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'removeOwnFactor',
    summary: 'Remove one of your second factors',
    description:
      'No instance accepts a proof of it any more. All your other sessions end. Recovery codes are removed with the last other ' +
      `factor. ${RECENT}`,
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiNoContentResponse({ description: 'The factor was removed.' })
  @ApiProblems(...STRAY_BODY_PROBLEMS, ...CHANGE_PROBLEMS, 'not-found')
  async remove(
    @CurrentUser() principal: UserPrincipal,
    @Param('id', EntityIdPipe) factorId: string,
    @RequestOrigin() origin: Origin,
    @RequestDeadline() deadline: Deadline,
  ): Promise<void> {
    const result = await this.factors.remove(principal, factorId, origin, deadline);
    if (result !== 'removed') {
      throw notChanged(result);
    }
  }
}

const REFUSALS = {
  unknown: 'not-found',
  'no-second-factor': 'no-second-factor',
  full: 'too-many-factors',
  // The session has ended since the guard admitted the request.
  ended: 'invalid-token',
} as const;

function notChanged(reason: keyof typeof REFUSALS): Problem {
  return new Problem(REFUSALS[reason]);
}
