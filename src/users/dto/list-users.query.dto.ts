import { ApiPropertyOptional } from '@nestjs/swagger';

import { PageQuery } from '../../common/paging/index.js';
import {
  isBooleanText,
  MatchesRule,
  OptionalNotNull,
  textBetween,
} from '../../common/validation/index.js';

/** As long as an e-mail address may be. */
const MAX_TEXT = 254;

/** The conditions of a list of users. All of them must be met. */
export class ListUsersQuery extends PageQuery {
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
