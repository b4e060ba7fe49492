/** The password of every user of the load. */
export const PASSWORD = 'violet engines hum at dawn';

export interface SeedOrder {
  readonly users: number;
  /** Number of the first: who was made before is not made again. */
  readonly firstUser: number;
  readonly sessionsPerUser: number;
}

export interface SeededSession {
  readonly username: string;
  /** With the access token. */
  readonly header: string;
  readonly refreshToken: string;
}
