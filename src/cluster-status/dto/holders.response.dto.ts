import { ApiProperty } from '@nestjs/swagger';

class HolderResponse {
  @ApiProperty({
    format: 'uuid',
    description: 'The `holderId` of an instance in `GET /api/cluster`.',
  })
  holderId!: string;
}

export class HoldersResponse {
  @ApiProperty({ type: [HolderResponse] })
  items!: HolderResponse[];
}
