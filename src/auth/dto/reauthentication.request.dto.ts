import { ApiPropertyOptional } from '@nestjs/swagger';

import { isText, MatchesRule, OptionalNotNull } from '../../common/validation/index.js';
import { ProofBody } from './second-factor.request.dto.js';

export class ReauthenticationRequestBody extends ProofBody {
  @ApiPropertyOptional({ example: 'engine weaves algebra', format: 'password' })
  @OptionalNotNull()
  @MatchesRule('password', isText)
  password?: string;
}
