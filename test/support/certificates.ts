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

const ALGORITHMS = {
  EC: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  RSA: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  },
};
type KeyType = keyof typeof ALGORITHMS;
const DAY_MS = 86_400_000;

interface Name {
  readonly type: 'ip' | 'dns';
  readonly value: string;
}

/** PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** A certificate authority for a test, which writes certificates as PEM files into a folder. */
export class TestAuthority {
  private made = 0;

  private constructor(
    private readonly folder: string,
    private readonly name: string,
    private readonly type: KeyType,
    private readonly keys: webcrypto.CryptoKeyPair,
    private readonly certificate: X509Certificate,
    /** The path of its own certificate. */
    readonly file: string,
  ) {}

  /**
   * @param name unique among the authorities of the folder
   * @param type key type of the authority and of its certificates
   */
  static async create(
    folder: string,
    name = 'authority',
    type: KeyType = 'EC',
  ): Promise<TestAuthority> {
    const keys = await newKeys(type);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      ...validity(),
      name: `CN=${name}`,
      keys,
      signingAlgorithm: ALGORITHMS[type],
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    });
    const file = join(folder, `${name}.pem`);
    writeFileSync(file, certificate.toString('pem'));
    return new TestAuthority(folder, name, type, keys, certificate, file);
  }

  /** Issues a certificate for servers that are also clients, such as cluster nodes. */
  async issue(...names: Name[]): Promise<CertificateFiles> {
    return this.issueUntil(validity().notAfter, ...names);
  }

  /** Issues a certificate with another expiry than tomorrow. */
  async issueUntil(notAfter: Date, ...names: Name[]): Promise<CertificateFiles> {
    this.made += 1;
    const keys = await newKeys(this.type);
    const certificate = await X509CertificateGenerator.create({
      ...validity(),
      notAfter,
      subject: `CN=certificate ${this.made}`,
      issuer: this.certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      signingAlgorithm: ALGORITHMS[this.type],
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

async function newKeys(type: KeyType): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHMS[type], true, ['sign', 'verify']);
}

/** From yesterday, because the clocks of two programs may differ. */
function validity(): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + DAY_MS) };
}
