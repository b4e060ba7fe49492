import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import {
  isJsonObject,
  isText,
  MatchesRule,
  OptionalNotNull,
  textBetween,
} from '../../common/validation/index.js';

export const FACTOR_NAME_MAX_LENGTH = 64;

/** What a browser returns: `RegistrationResponseJSON` and `AuthenticationResponseJSON` of WebAuthn level 3, section 5.1. */
export class CredentialBody {
  @ApiProperty({
    description: 'The id of the credential, in base64url.',
    example: 'mGx2kq5yTtWcO0nJ6pVb3A',
  })
  @MatchesRule('id', isText)
  id!: string;

  @ApiProperty({ description: 'The same.', example: 'mGx2kq5yTtWcO0nJ6pVb3A' })
  @MatchesRule('rawId', isText)
  rawId!: string;

  @ApiProperty({
    type: Object,
    description: 'The response of the authenticator.',
    example: { clientDataJSON: 'eyJ0eXBlIjoi…' },
  })
  @MatchesRule('response', isJsonObject)
  response!: object;

  @ApiProperty({ example: 'public-key' })
  @MatchesRule('type', isText)
  type!: string;

  @ApiPropertyOptional({ type: Object })
  @OptionalNotNull()
  @MatchesRule('clientExtensionResults', isJsonObject)
  clientExtensionResults?: object;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'platform' })
  @MatchesRule('authenticatorAttachment', (value) =>
    value === undefined || value === null ? undefined : isText(value),
  )
  authenticatorAttachment?: string | null;
}

export class AddPasskeyRequest extends CredentialBody {
  @ApiPropertyOptional({
    description: 'Your name for it.',
    example: 'My phone',
    minLength: 1,
    maxLength: FACTOR_NAME_MAX_LENGTH,
  })
  @OptionalNotNull()
  @MatchesRule('name', textBetween(1, FACTOR_NAME_MAX_LENGTH))
  name?: string;
}

export class PasskeyOptionsRequest {
  @ApiPropertyOptional({ description: 'From the problem `second-factor-required`.' })
  @OptionalNotNull()
  @MatchesRule('challenge', isText)
  challenge?: string;
}
