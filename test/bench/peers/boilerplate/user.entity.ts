import { Exclude } from 'class-transformer';

/** A stored user; the interceptor removes members that clients must not see. */
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
