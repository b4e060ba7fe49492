import { ApiPropertyOptional } from '@nestjs/swagger';

import { isBoolean, isList, MatchesRule, OptionalNotNull } from '../../common/validation/index.js';
import { ChangeUserRequest } from './change-user.request.dto.js';

/** Omitted members stay unchanged. */
export class AdministerUserRequest extends ChangeUserRequest {
  @ApiPropertyOptional({
    description:
      'The new list of all roles of the user. `GET /api/roles` lists the roles that exist.',
    type: [String],
    example: ['admin'],
  })
  @OptionalNotNull()
  @MatchesRule('roles', isList)
  roles?: string[];

  @ApiPropertyOptional({
    description: 'A disabled user cannot log in. All sessions of the user end permanently.',
    example: false,
  })
  @OptionalNotNull()
  @MatchesRule('disabled', isBoolean)
  disabled?: boolean;

  @ApiPropertyOptional({
    description:
      'True: you vouch that the e-mail address belongs to the user, who needs no link to confirm it. Mails for a new password then go ' +
      'there. False: the address counts as not confirmed. A new address without this member is not confirmed.',
    example: true,
  })
  @OptionalNotNull()
  @MatchesRule('emailVerified', isBoolean)
  emailVerified?: boolean;
}
