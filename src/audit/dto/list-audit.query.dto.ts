import { ApiProperty } from '@nestjs/swagger';

import { PageQuery } from '../../common/paging/index.js';
import {
  entityId,
  MatchesRule,
  OptionalNotNull,
  textBetween,
} from '../../common/validation/index.js';

const MAX_TYPE = 100;

export class ListAuditQuery extends PageQuery {
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
