import { readFileSync } from 'node:fs';

import { codeBlocks } from './markdown.js';

export interface ProxyAddresses {
  readonly port: number;
  /** URLs. */
  readonly keyslot: string;
  readonly service: string;
}

/**
 * The nginx configuration of docs/services.md, with these addresses.
 *
 * @throws when the document has other names than expected
 */
export function documentedNginx({ port, keyslot, service }: ProxyAddresses): string {
  const document = readFileSync('docs/services.md', 'utf8');
  const [nginx] = codeBlocks(document).filter(({ language }) => language === 'nginx');
  const addresses: [string, string][] = [
    ['server keyslot:3000;', `server ${new URL(keyslot).host};`],
    ['server orders:8080;', `server ${new URL(service).host};`],
    ['listen 8000;', `listen 127.0.0.1:${port};`],
  ];
  return addresses.reduce((text, [name, address]) => {
    if (!text.includes(name)) {
      throw new Error(`docs/services.md does not contain "${name}"`);
    }
    return text.replace(name, address);
  }, nginx?.text ?? '');
}
