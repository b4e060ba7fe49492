/** Metadata of the API description: `info` in OpenAPI 3.1, section 4.8.2. */
export interface ApiDocsOptions {
  /** Also the title of Swagger UI's page. Default: `Keyslot`. */
  readonly title?: string;
  /** Version of the API, not of OpenAPI. Default: the version of Keyslot. */
  readonly version?: string;
  /** Markdown. Default: how to log in, and the format of errors. */
  readonly description?: string;
  /** Default: MIT, the license of Keyslot. None when a title is set, because the API is then your own. */
  readonly license?: { readonly name: string; readonly url?: string };
}
