import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';

import {
  MatchesRule,
  OptionalNotNull,
  textBetween,
  wholeNumberBetween,
} from '../../common/validation/index.js';

import { CURSOR_MAX_LENGTH } from '../directory/user-directory.js';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;
/** Longer than any e-mail address. */
const MAX_TEXT = 254;

export class ListUsersQuery {
  @ApiProperty({ required: false, description: '`nextCursor` of the previous page.' })
  @OptionalNotNull()
  @MatchesRule('cursor', textBetween(1, CURSOR_MAX_LENGTH))
  cursor?: string;

  @ApiProperty({
    type: 'integer',
    required: false,
    minimum: 1,
    maximum: MAX_LIMIT,
    default: DEFAULT_LIMIT,
  })
  @MatchesRule('limit', wholeNumberBetween(1, MAX_LIMIT))
  limit: number | string = DEFAULT_LIMIT;

  @ApiProperty({
    required: false,
    example: 'ad',
    description: 'The beginning of the user name or of the e-mail address, in any case.',
  })
  @OptionalNotNull()
  @MatchesRule('q', textBetween(1, MAX_TEXT))
  q?: string;

  @ApiProperty({ required: false, example: 'admin', description: 'Only users with this role.' })
  @OptionalNotNull()
  @MatchesRule('role', textBetween(1, MAX_TEXT))
  role?: string;

  @ApiProperty({ required: false, enum: ['true', 'false'] })
  @OptionalNotNull()
  @IsIn(['true', 'false'])
  disabled?: 'true' | 'false';
}
