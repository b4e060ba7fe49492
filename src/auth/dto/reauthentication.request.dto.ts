import { ApiPropertyOptional } from '@nestjs/swagger';

import { isText, MatchesRule, OptionalNotNull } from '../../common/validation/index.js';
import { PROOF_EXAMPLES, ProofBody } from './second-factor.request.dto.js';

export const REAUTHENTICATION_EXAMPLES = Object.fromEntries(
  Object.entries({
    'The password': { password: 'engine weaves algebra' },
    ...PROOF_EXAMPLES,
  }).map(([name, value]) => [name, { value }]),
);

export class ReauthenticationRequestBody extends ProofBody {
  @ApiPropertyOptional({ example: 'engine weaves algebra', format: 'password' })
  @OptionalNotNull()
  @MatchesRule('password', isText)
  password?: string;
}
