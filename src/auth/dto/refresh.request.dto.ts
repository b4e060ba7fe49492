import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import { permissionList } from '../../common/authentication/index.js';
import { isText, MatchesRule, OptionalNotNull, type Rule } from '../../common/validation/index.js';

/** A token must fit into a header. */
const SCOPE_MAX_LENGTH = 1000;

/** RFC 6749 section 3.3. */
const scopeText: Rule = (value) => {
  if (typeof value !== 'string') {
    return { code: 'not-a-string' };
  }
  if (value.length > SCOPE_MAX_LENGTH) {
    return { code: 'too-long', params: { max: SCOPE_MAX_LENGTH } };
  }
  return permissionList(value.split(' '));
};

export class RefreshRequestBody {
  @ApiProperty({
    description: 'The refresh token of the latest login or refresh.',
    example: 'the refresh_token of the last response',
  })
  @MatchesRule('refresh_token', isText)
  refresh_token!: string;

  @ApiPropertyOptional({
    description:
      'Permissions, separated by spaces (RFC 6749 section 6). The access token is limited to those that you have, and carries ' +
      'them as `scope`, for services that only check signatures. Default: no limit.',
    maxLength: SCOPE_MAX_LENGTH,
    example: 'orders:read orders:write',
  })
  @OptionalNotNull()
  @MatchesRule('scope', scopeText)
  scope?: string;
}
