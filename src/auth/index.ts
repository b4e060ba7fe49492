export {
  AccessTokenValidator,
  bearerToken,
  JwtAuthGuard,
  type BearerToken,
} from '../guard/index.js';
export { AccessTokenIssuer, type NewClientToken } from './access-token-issuer.js';
export { AuthModule } from './auth.module.js';
export {
  OwnFactors,
  type Enrolled,
  type EnrolmentOutcome,
  type ProofContext,
  type SecondFactor,
} from '../credentials/index.js';
export type { AuthOptions } from './auth.options.js';
export { TokensResponse } from './dto/tokens.response.dto.js';
export { RefreshService } from './refresh.service.js';
export { RefreshTokens, type RecognizedToken } from './refresh-tokens.js';
