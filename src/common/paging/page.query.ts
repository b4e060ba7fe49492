import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import {
  MatchesRule,
  OptionalNotNull,
  textBetween,
  wholeNumberBetween,
} from '../validation/index.js';
import { CURSOR_MAX_LENGTH } from './cursor.js';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** The parameters of every route that lists page by page. Its other parameters are conditions, and belong to a subclass. */
export class PageQuery {
  @ApiPropertyOptional({
    minLength: 1,
    maxLength: CURSOR_MAX_LENGTH,
    description: '`nextCursor` of the previous page, with the same conditions; `limit` may differ.',
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
    description: 'The maximum number of items on the page.',
  })
  @MatchesRule('limit', wholeNumberBetween(1, MAX_LIMIT))
  limit: number | string = DEFAULT_LIMIT;
}
