import { seal, Secret, SECRET_PURPOSES, unseal } from '../common/secret/index.js';

/** What a refresh answers, as it is kept for those who lost the answer. */
export interface KeptAnswer {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Seals an answer under the token that was spent for it. A copy of Redis' data alone yields nothing. */
export async function sealAnswer(answer: KeptAnswer, spent: Secret): Promise<string> {
  return seal(JSON.stringify(answer), spent, SECRET_PURPOSES.refreshAnswers);
}

/**
 * Follows the answers from a spent token to the newest one. Each is sealed under the token that it was given for, and holds
 * the token under which the next one is sealed.
 */
export async function newestAnswer(
  sealedAnswers: readonly string[],
  spent: Secret,
): Promise<KeptAnswer> {
  let token = spent;
  let answer: KeptAnswer | undefined;
  for (const sealed of sealedAnswers) {
    answer = JSON.parse(await unseal(sealed, token, SECRET_PURPOSES.refreshAnswers)) as KeptAnswer;
    token = new Secret(answer.refreshToken);
  }
  if (answer === undefined) {
    throw new Error('a replay holds no answer');
  }
  return answer;
}
