/** The password of all users in the load. */
export const PASSWORD = 'violet engines hum at dawn';

export interface SeedOrder {
  readonly users: number;
  /** The number of the first user. Users with lower numbers exist already. */
  readonly firstUser: number;
  readonly sessionsPerUser: number;
}

export interface SeededSession {
  readonly username: string;
  /** The header line with the access token. */
  readonly header: string;
  readonly refreshToken: string;
}
