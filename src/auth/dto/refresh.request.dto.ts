import { ApiProperty } from '@nestjs/swagger';

import { isText, Obeys } from '../../common/validation/index.js';

export class RefreshRequestBody {
  @ApiProperty({ description: 'The one that came with the newest answer.' })
  @Obeys('refresh_token', isText)
  refresh_token!: string;
}
