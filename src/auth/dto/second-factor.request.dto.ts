import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import {
  isJsonObject,
  isText,
  MatchesRule,
  OptionalNotNull,
} from '../../common/validation/index.js';

/** The proof of one factor. */
export class ProofBody {
  @ApiPropertyOptional({
    description: 'A code of the authenticator application.',
    example: '287082',
  })
  @OptionalNotNull()
  @MatchesRule('code', isText)
  code?: string;

  @ApiPropertyOptional({
    description: 'A recovery code.',
    example: 'x3k9-2mva-7q0r-tz5w',
  })
  @OptionalNotNull()
  @MatchesRule('recoveryCode', isText)
  recoveryCode?: string;

  @ApiPropertyOptional({
    type: Object,
    description:
      'What `navigator.credentials.get` returned (WebAuthn `AuthenticationResponseJSON`).',
  })
  @OptionalNotNull()
  @MatchesRule('passkey', isJsonObject)
  passkey?: object;

  @ApiPropertyOptional({
    description:
      'The type of a factor that the application has added to those of Keyslot, with `proof`.',
    example: 'hardware-token',
  })
  @OptionalNotNull()
  @MatchesRule('factor', isText)
  factor?: string;

  @ApiPropertyOptional({ description: 'The proof of `factor`.', example: '755224' })
  @OptionalNotNull()
  @MatchesRule('proof', isText)
  proof?: string;
}

export class SecondFactorRequestBody extends ProofBody {
  @ApiProperty({
    description: 'From the problem `second-factor-required`.',
    example: '0c0d2a3e-2a57-4c5e-9d0b-6a5ad1b0f3c1.qN0hVt2…',
  })
  @MatchesRule('challenge', isText)
  challenge!: string;
}
