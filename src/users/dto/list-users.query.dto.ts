import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import {
  isBooleanText,
  MatchesRule,
  OptionalNotNull,
  textBetween,
  wholeNumberBetween,
} from '../../common/validation/index.js';
import { CURSOR_MAX_LENGTH } from '../directory/user-directory.js';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;
/** As long as an e-mail address may be. */
const MAX_TEXT = 254;

/** The conditions of a list of users. All of them must be met. */
export class ListUsersQuery {
  @ApiPropertyOptional({
    minLength: 1,
    maxLength: CURSOR_MAX_LENGTH,
    description:
      '`nextCursor` of the previous page, with the same conditions; `limit` may differ. It contains the name or the address of the ' +
      'last user of that page.',
  })
  @OptionalNotNull()
  @MatchesRule('cursor', textBetween(1, CURSOR_MAX_LENGTH))
  cursor?: string;

  @ApiProperty({
    type: 'integer',
    required: false,
    minimum: 1,
    maximum: MAX_LIMIT,
    default: DEFAULT_LIMIT,
    description: 'Maximum number of users on the page.',
  })
  @MatchesRule('limit', wholeNumberBetween(1, MAX_LIMIT))
  limit: number | string = DEFAULT_LIMIT;

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: MAX_TEXT,
    example: 'ad',
    description: 'The beginning of the user name or of the e-mail address, in any case.',
  })
  @OptionalNotNull()
  @MatchesRule('q', textBetween(1, MAX_TEXT))
  q?: string;

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: MAX_TEXT,
    example: 'admin',
    description: 'Only users with this role.',
  })
  @OptionalNotNull()
  @MatchesRule('role', textBetween(1, MAX_TEXT))
  role?: string;

  @ApiPropertyOptional({
    type: 'boolean',
    description: 'true: only disabled users; false: only enabled ones. Default: both.',
  })
  @OptionalNotNull()
  @MatchesRule('disabled', isBooleanText)
  disabled?: string;
}
