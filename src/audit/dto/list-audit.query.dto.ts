import { ApiProperty } from '@nestjs/swagger';

import {
  entityId,
  MatchesRule,
  OptionalNotNull,
  textBetween,
  wholeNumberBetween,
} from '../../common/validation/index.js';
import { CURSOR_MAX_LENGTH } from '../trail/audit-trail.js';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;
const MAX_TYPE = 100;

export class ListAuditQuery {
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
    format: 'uuid',
    description:
      'The id of a user or of a service account: only events in which it is the actor or the subject.',
  })
  @OptionalNotNull()
  @MatchesRule('user', entityId)
  user?: string;

  @ApiProperty({
    required: false,
    example: 'login-refused',
    description: 'Only events of this type. A type that does not exist has no events.',
  })
  @OptionalNotNull()
  @MatchesRule('type', textBetween(1, MAX_TYPE))
  type?: string;
}
