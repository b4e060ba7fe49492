import { ApiProperty } from '@nestjs/swagger';

import { isText, MatchesRule } from '../../common/validation/index.js';

export class TotpEnrolmentResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ description: 'In base32, for an application that cannot scan.' })
  secret!: string;

  @ApiProperty({ description: 'For an application on the same device: `otpauth://totp/…`.' })
  uri!: string;

  @ApiProperty({ description: 'The URI as a QR code: an SVG document.' })
  qr!: string;
}

export class ConfirmTotpRequest {
  @ApiProperty({
    format: 'uuid',
    description: 'The id of the enrolment.',
    example: '0c0d2a3e-2a57-4c5e-9d0b-6a5ad1b0f3c1',
  })
  @MatchesRule('id', isText)
  id!: string;

  @ApiProperty({ example: '287082', description: 'The code that the application shows.' })
  @MatchesRule('code', isText)
  code!: string;
}

export class RecoveryCodesResponse {
  @ApiProperty({ type: [String], minItems: 10, maxItems: 10 })
  codes!: readonly string[];
}
