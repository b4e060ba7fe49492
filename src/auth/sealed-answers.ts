import { seal, Secret, SECRET_PURPOSES, unseal } from '../common/secret/index.js';

/**
 * The answer to a refresh, which Redis keeps for clients that did not receive it. `rotate-refresh-token.lua` of the user slot
 * decides whether a token that is used again is answered so, or ends its session.
 */
export interface ReplayedTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Encrypts an answer under the refresh token that was spent for it, so that a copy of the data in Redis reveals nothing. */
export async function sealTokens(answer: ReplayedTokens, spent: Secret): Promise<string> {
  return seal(JSON.stringify(answer), spent, SECRET_PURPOSES.refreshAnswers);
}

/**
 * Decrypts a chain of answers and returns the newest one. Each answer is encrypted under the token that was spent for it. It
 * contains the next token, under which the next answer is encrypted.
 */
export async function newestTokens(
  sealedAnswers: readonly string[],
  spent: Secret,
): Promise<ReplayedTokens> {
  let token = spent;
  let answer: ReplayedTokens | undefined;
  for (const sealed of sealedAnswers) {
    answer = JSON.parse(
      await unseal(sealed, token, SECRET_PURPOSES.refreshAnswers),
    ) as ReplayedTokens;
    token = new Secret(answer.refreshToken);
  }
  if (answer === undefined) {
    throw new Error('a replay contains no answer');
  }
  return answer;
}
