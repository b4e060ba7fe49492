/** What the API description says about the API: see `info` in OpenAPI 3.1, section 4.8.2. */
export interface ApiDocsOptions {
  /** Also the title of Swagger UI's page. Default: `Keyslot`. */
  readonly title?: string;
  /** Of the API, not of OpenAPI. Default: Keyslot's own. */
  readonly version?: string;
  /** Markdown. Default: how to log in, and what errors look like. */
  readonly description?: string;
  /** Default: Keyslot's own, MIT; none when a title is set, because the API is then yours. */
  readonly license?: { readonly name: string; readonly url?: string };
}
