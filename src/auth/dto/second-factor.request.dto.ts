import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import {
  isJsonObject,
  isText,
  MatchesRule,
  OptionalNotNull,
} from '../../common/validation/index.js';

const CHALLENGE = '0c0d2a3e-2a57-4c5e-9d0b-6a5ad1b0f3c1.qN0hVt2…';
/** Each request contains one of them. */
export const PROOF_EXAMPLES = {
  'An authenticator application': { code: '287082' },
  'A recovery code': { recoveryCode: 'x3k9-2mva-7q0r-tz5w' },
  'A passkey': {
    passkey: {
      id: 'mGx2kq5yTtWcO0nJ6pVb3A',
      rawId: 'mGx2kq5yTtWcO0nJ6pVb3A',
      type: 'public-key',
      response: {
        clientDataJSON: 'eyJ0eXBlIjoi…',
        authenticatorData: 'SZYN5Y…',
        signature: 'MEUC…',
      },
    },
  },
  'A factor of the application': { factor: 'hardware-token', proof: '755224' },
} as const;
export const SECOND_FACTOR_EXAMPLES = Object.fromEntries(
  Object.entries(PROOF_EXAMPLES).map(([name, proof]) => [
    name,
    { value: { challenge: CHALLENGE, ...proof } },
  ]),
);

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
      'What `navigator.credentials.get` returned (WebAuthn `AuthenticationResponseJSON`) for the options of ' +
      '`POST /api/login/passkey/options`.',
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
    example: CHALLENGE,
  })
  @MatchesRule('challenge', isText)
  challenge!: string;
}
