import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type X509Certificate,
} from '@peculiar/x509';
import { KeyObject, webcrypto } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

/** PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** An authority of a test's own, which makes certificates and leaves them as PEM files in a folder. */
export class TestAuthority {
  private made = 0;

  private constructor(
    private readonly folder: string,
    private readonly name: string,
    private readonly keys: webcrypto.CryptoKeyPair,
    private readonly certificate: X509Certificate,
    /** Its own certificate. */
    readonly file: string,
  ) {}

  /** @param name no other authority of the folder has it */
  static async create(folder: string, name = 'authority'): Promise<TestAuthority> {
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      ...validity(),
      name: `CN=${name}`,
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    });
    const file = join(folder, `${name}.pem`);
    writeFileSync(file, certificate.toString('pem'));
    return new TestAuthority(folder, name, keys, certificate, file);
  }

  /** A certificate for servers that are also one another's clients, as the nodes of a cluster are. */
  async issue(...names: { type: 'ip' | 'dns'; value: string }[]): Promise<CertificateFiles> {
    this.made += 1;
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.create({
      ...validity(),
      subject: `CN=certificate ${this.made}`,
      issuer: this.certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new SubjectAlternativeNameExtension(names),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
        await AuthorityKeyIdentifierExtension.create(this.keys.publicKey),
      ],
    });
    const [cert, key] = ['cert', 'key'].map((kind) =>
      join(this.folder, `${this.name}-${kind}-${this.made}.pem`),
    ) as [string, string];
    writeFileSync(cert, certificate.toString('pem'));
    const pem = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(key, pem, { mode: 0o600 });
    return { cert, key, ca: this.file };
  }
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** From yesterday on, because the clocks of two programs may differ. */
function validity(): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + DAY_MS) };
}
