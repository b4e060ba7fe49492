import { Exclude } from 'class-transformer';

/** A user as it is stored; the interceptor leaves out what clients must not see. */
export class UserEntity {
  id!: string;
  username!: string;
  email!: string | null;
  displayName!: string | null;
  roles!: readonly string[];
  createdAt!: string;
  updatedAt!: string;

  @Exclude()
  passwordHash!: string;
}
