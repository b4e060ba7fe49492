/** What an instance prints when it is ready. */
export interface ReadyFacts {
  readonly url: string;
  /** With a slash before it, or empty. */
  readonly prefix: string;
  readonly hasApiDocs: boolean;
  readonly hasConsole: boolean;
}

export function printUrls({ url, prefix, hasApiDocs, hasConsole }: ReadyFacts): void {
  const lines = [
    '',
    'Keyslot is ready.',
    `  API         ${url}${prefix}/api`,
    ...(hasApiDocs ? [`  Swagger UI  ${url}/docs`] : []),
    ...(hasConsole ? [`  Console     ${url}/console`] : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n\n`);
}
