import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import type { NewClientSecret } from '../service-account-administration.js';
import type { ClientKeySet, ServiceAccount } from '../write/index.js';
import { PublicKeySetBody } from './public-key-set.dto.js';

export class SecretResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}

export class NewSecretResponse extends SecretResponse {
  @ApiProperty({ description: 'Shown only in this response. Store it like a password.' })
  clientSecret!: string;

  static fromSecret({ id, createdAt, secret }: NewClientSecret): NewSecretResponse {
    return { id, createdAt: createdAt.toISOString(), clientSecret: secret.reveal() };
  }
}

export class ServiceAccountResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'order reports' })
  name!: string;

  @ApiProperty({
    format: 'uuid',
    description: 'Equal to `id`. The `client_id` at `/oauth/token`, and the `sub` of its tokens.',
  })
  clientId!: string;

  @ApiProperty({ type: [String], example: ['orders:read'] })
  permissions!: readonly string[];

  @ApiProperty({ type: [String], example: ['keyslot'] })
  audiences!: readonly string[];

  @ApiProperty({ example: false })
  disabled!: boolean;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time' })
  updatedAt!: string;

  @ApiProperty({ type: [SecretResponse], description: 'At most two. The secrets are not shown.' })
  secrets!: SecretResponse[];

  @ApiProperty({ type: PublicKeySetBody })
  jwks!: ClientKeySet;

  static from(account: ServiceAccount): ServiceAccountResponse {
    return {
      id: account.id,
      name: account.name,
      clientId: account.id,
      permissions: account.permissions,
      audiences: account.audiences,
      disabled: account.isDisabled,
      createdAt: account.createdAt.toISOString(),
      updatedAt: account.updatedAt.toISOString(),
      secrets: account.secrets.map(({ id, createdAt }) => ({
        id,
        createdAt: createdAt.toISOString(),
      })),
      jwks: account.jwks,
    };
  }
}

export class NewServiceAccountResponse extends ServiceAccountResponse {
  @ApiPropertyOptional({
    description:
      'Shown only in this response. Store it like a password. Absent for an account with public keys.',
  })
  clientSecret?: string;

  static fromNew(account: ServiceAccount, secret?: NewClientSecret): NewServiceAccountResponse {
    return {
      ...ServiceAccountResponse.from(account),
      ...(secret ? { clientSecret: secret.secret.reveal() } : {}),
    };
  }
}

export class ServiceAccountsResponse {
  @ApiProperty({ type: [ServiceAccountResponse] })
  items!: ServiceAccountResponse[];
}
