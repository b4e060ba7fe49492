import { ApiPropertyOptional, PartialType } from '@nestjs/swagger';

import { isBoolean, MatchesRule, OptionalNotNull } from '../../common/validation/index.js';
import { CreateServiceAccountRequest } from './create-service-account.request.dto.js';

/** Omitted members stay unchanged. */
export class ChangeServiceAccountRequest extends PartialType(CreateServiceAccountRequest, {
  skipNullProperties: false,
}) {
  @ApiPropertyOptional({
    description:
      'A disabled account cannot authenticate, and its tokens are refused at once. They stay refused when it is enabled again.',
    example: false,
  })
  @OptionalNotNull()
  @MatchesRule('disabled', isBoolean)
  disabled?: boolean;
}
