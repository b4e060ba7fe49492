import { Controller, Get, Header, Param } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { ApiProblems } from '../common/api-problems/index.js';
import { Public } from '../common/authentication/index.js';
import { RequestDeadline, type Deadline } from '../common/deadline/index.js';
import { METADATA_PATH } from '../common/http/index.js';
import { Problem } from '../common/problem/index.js';
import { CLIENT_ALGORITHMS } from '../service-accounts/index.js';
import { MetadataResponse } from './dto/oauth.response.dto.js';
import { Endpoints } from './endpoints.js';

const MAX_AGE_SECONDS = 300;
const AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];

/** Tells clients where the endpoints are and what they support (RFC 8414). */
@ApiTags('OAuth')
@Public()
@Controller(METADATA_PATH)
export class MetadataController {
  constructor(private readonly endpoints: Endpoints) {}

  @Get()
  @Header('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`)
  @ApiOperation({
    operationId: 'getAuthorizationServerMetadata',
    summary: 'Read the metadata of the authorization server',
    description:
      'RFC 8414. OAuth clients read the endpoints and the supported methods here. 404 if the issuer of the tokens is not a URL.',
  })
  @ApiOkResponse({ type: MetadataResponse, description: 'The metadata.' })
  @ApiProblems('not-found', 'store-unavailable')
  async metadata(@RequestDeadline() deadline: Deadline): Promise<MetadataResponse> {
    return this.metadataOf(deadline);
  }

  /** For an issuer with a path: it follows the well-known path (RFC 8414 section 3.1). */
  @Get('*')
  @Header('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`)
  @ApiExcludeEndpoint()
  async metadataBelow(
    @Param('*') path: string,
    @RequestDeadline() deadline: Deadline,
  ): Promise<MetadataResponse> {
    const metadata = await this.metadataOf(deadline);
    if (pathOf(metadata.issuer) !== path) {
      throw new Problem('not-found');
    }
    return metadata;
  }

  private async metadataOf(deadline: Deadline): Promise<MetadataResponse> {
    const urls = await this.endpoints.urls(deadline);
    // The issuer identifies the metadata, so it must be a URL (RFC 8414 section 2).
    if (!urls || !URL.canParse(urls.issuer)) {
      throw new Problem('not-found');
    }
    return {
      issuer: urls.issuer,
      token_endpoint: urls.token,
      introspection_endpoint: urls.introspection,
      revocation_endpoint: urls.revocation,
      jwks_uri: urls.jwks,
      // Required (section 2), although section 3.2 omits empty lists: clients refuse metadata without it.
      response_types_supported: [],
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: AUTH_METHODS,
      token_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
      introspection_endpoint_auth_methods_supported: AUTH_METHODS,
      introspection_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
      revocation_endpoint_auth_methods_supported: AUTH_METHODS,
      revocation_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
    };
  }
}

function pathOf(issuer: string): string {
  return new URL(issuer).pathname.replace(/^\/|\/$/g, '');
}
