/** What an instance prints when it is ready. */
export interface ReadyFacts {
  readonly url: string;
  /** With a slash before it, or empty. */
  readonly prefix: string;
  readonly hasApiDocs: boolean;
}

export function printUrls({ url, prefix, hasApiDocs }: ReadyFacts): void {
  const docs = hasApiDocs ? [`  Swagger UI  ${url}/docs`] : [];
  process.stdout.write(
    ['', 'Keyslot is ready.', `  API         ${url}${prefix}/api`, ...docs, '', ''].join('\n'),
  );
}
