import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

const STATUSES = ['ok', 'degraded', 'not-ready'] as const;

export class ClusterNodeResponse {
  @ApiProperty({ description: 'The id of the node in the cluster.' })
  id!: string;

  @ApiProperty({ example: '10.0.0.1:6379' })
  address!: string;

  @ApiProperty({ enum: ['master', 'replica'] })
  role!: 'master' | 'replica';

  @ApiPropertyOptional({ description: 'The id of its master. Absent for a master.' })
  masterId?: string;

  @ApiProperty({ description: 'Whether the majority of the masters regards it as up.' })
  isUp!: boolean;

  @ApiProperty({ description: 'Whether the answering instance reaches it.' })
  isReached!: boolean;

  @ApiProperty({
    type: 'array',
    items: { type: 'array', items: { type: 'integer' } },
    example: [[0, 5460]],
    description: 'First and last slot of each range. Empty for a replica.',
  })
  slots!: readonly (readonly number[])[];

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Calls of all instances and services to it per second. Null: `instances` is null.',
  })
  callsPerSecond!: number | null;
}

export class SingleCopyShardResponse {
  @ApiProperty({ example: '10.0.0.1:6379' })
  master!: string;

  @ApiProperty({ description: 'The number of its slots.' })
  slots!: number;

  @ApiProperty({ format: 'date-time', description: 'Since when it has no replica that is up.' })
  since!: string;
}

export class RedisResponse {
  @ApiProperty({ description: 'Whether every slot is served.' })
  isHealthy!: boolean;

  @ApiProperty({ description: 'Slots that no master serves.' })
  uncoveredSlots!: number;

  @ApiProperty({ description: 'Masters that the answering instance does not reach.' })
  unreachedMasters!: number;

  @ApiProperty({ type: [ClusterNodeResponse] })
  nodes!: ClusterNodeResponse[];

  @ApiProperty({ type: [SingleCopyShardResponse] })
  singleCopyShards!: SingleCopyShardResponse[];
}

export class LookupsResponse {
  @ApiProperty({ description: 'Answered from memory.' })
  hit!: number;

  @ApiProperty({ description: 'Loaded from Redis.' })
  miss!: number;

  @ApiProperty({ description: 'Loaded because memory was not trusted.' })
  untrusted!: number;
}

export class InstanceResponse {
  @ApiProperty({ format: 'uuid', description: 'The id of the process.' })
  id!: string;

  @ApiPropertyOptional({
    description: 'The audience of a service. Absent: an instance of Keyslot.',
  })
  service?: string;

  @ApiProperty({ example: '0.1.0', description: 'The version of Keyslot.' })
  version!: string;

  @ApiProperty({ example: 'keyslot-5b7c' })
  host!: string;

  @ApiProperty()
  processId!: number;

  @ApiProperty({ format: 'date-time' })
  startedAt!: string;

  @ApiProperty({ description: 'The time since its last report, in milliseconds.' })
  reportedMsAgo!: number;

  @ApiProperty({
    format: 'uuid',
    description: 'The id with which it holds users. It changes when the instance begins anew.',
  })
  holderId!: string;

  @ApiProperty({ description: 'The length of its lease.' })
  leaseMs!: number;

  @ApiProperty({ description: 'Whether it trusted its memory at the last report.' })
  isTrusted!: boolean;

  @ApiProperty({ description: 'Values in memory.' })
  entries!: number;

  @ApiProperty({ description: 'Their estimated size.' })
  entryBytes!: number;

  @ApiProperty({ description: 'Memory of the process.' })
  processBytes!: number;

  @ApiProperty({ type: LookupsResponse, description: 'Look-ups since the start.' })
  lookups!: LookupsResponse;
}

export class RecentChangesResponse {
  @ApiProperty({
    type: [Number],
    description:
      'Upper bounds of the buckets, in milliseconds. There is one more bucket for all above.',
  })
  boundsMs!: readonly number[];

  @ApiProperty({
    type: [Number],
    description:
      'Changes of the last hour in each bucket, by the time until no instance answered from the old state. Only of instances ' +
      'that run.',
  })
  counts!: readonly number[];
}

export class ClusterResponse {
  @ApiProperty({ format: 'date-time' })
  at!: string;

  @ApiProperty({
    enum: STATUSES,
    description: 'The status of the answering instance, as at `/health/ready`.',
  })
  status!: (typeof STATUSES)[number];

  @ApiProperty({ format: 'uuid', description: 'The `holderId` of the answering instance.' })
  answeredBy!: string;

  @ApiProperty({ type: RedisResponse, nullable: true, description: 'Null: no node replied.' })
  redis!: RedisResponse | null;

  @ApiProperty({ type: String, nullable: true, description: 'Null while unknown.' })
  evictionPolicy!: string | null;

  @ApiProperty()
  hasSigningKeys!: boolean;

  @ApiProperty({ description: 'Whether the answering instance trusts its memory.' })
  trustsMemory!: boolean;

  @ApiProperty({
    type: [InstanceResponse],
    nullable: true,
    description:
      'Instances and services that have reported within the last minute. Null: Redis did not answer.',
  })
  instances!: InstanceResponse[] | null;

  @ApiProperty({
    type: RecentChangesResponse,
    nullable: true,
    description: 'Null: `instances` is null.',
  })
  changes!: RecentChangesResponse | null;
}
