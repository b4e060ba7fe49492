import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const USER_PRESENT_AND_VERIFIED = 0x05;
const WITH_CREDENTIAL = 0x40;
/** `{1: 2, 3: -7, -1: 1, -2: x, -3: y}` in CBOR, in parts: a key for ES256 (RFC 9053 section 7.1.1). */
const [COSE_HEAD, COSE_Y] = [
  Buffer.from('a5010203262001215820', 'hex'),
  Buffer.from('225820', 'hex'),
];
/** `{fmt: 'none', attStmt: {}, authData: …}` in CBOR, up to the length of the data, which is one byte. */
const ATTESTATION_HEAD = Buffer.from(
  'a363666d74646e6f6e656761747453746d74a068617574684461746158',
  'hex',
);

const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();
const base64url = (data: string | Buffer): string => Buffer.from(data).toString('base64url');

/** A passkey without a browser, for tests that are not about browsers. Its user is always verified. */
export class SoftwarePasskey {
  readonly id = randomBytes(16);
  readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  constructor(
    private readonly origin: string,
    /** Of the user, in base64url. */
    private readonly userHandle = '',
  ) {}

  /** What `navigator.credentials.create` returns. */
  created(challenge: string): { readonly id: string; readonly response: object } {
    const { x = '', y = '' } = this.keys.publicKey.export({ format: 'jwk' });
    const credential = [
      Buffer.alloc(16),
      Buffer.from([0, this.id.length]),
      this.id,
      COSE_HEAD,
      Buffer.from(x, 'base64url'),
      COSE_Y,
      Buffer.from(y, 'base64url'),
    ];
    const data = Buffer.concat([this.dataWith(WITH_CREDENTIAL), ...credential]);
    const attestationObject = Buffer.concat([ATTESTATION_HEAD, Buffer.from([data.length]), data]);
    return this.credential({
      clientDataJSON: this.clientData('webauthn.create', challenge),
      attestationObject: base64url(attestationObject),
    });
  }

  /** What `navigator.credentials.get` returns. */
  presented(challenge: string): { readonly id: string; readonly response: object } {
    const clientDataJSON = this.clientData('webauthn.get', challenge);
    const data = this.dataWith(0);
    const signed = Buffer.concat([data, sha256(Buffer.from(clientDataJSON, 'base64url'))]);
    return this.credential({
      clientDataJSON,
      authenticatorData: base64url(data),
      signature: base64url(sign('sha256', signed, this.keys.privateKey)),
      userHandle: this.userHandle,
    });
  }

  private credential(response: object) {
    const id = base64url(this.id);
    return { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response };
  }

  private clientData(type: string, challenge: string): string {
    return base64url(JSON.stringify({ type, challenge, origin: this.origin, crossOrigin: false }));
  }

  /** Authenticators of synchronized passkeys do not count. */
  private dataWith(flags: number): Buffer {
    const counter = Buffer.alloc(4);
    const relyingParty = sha256(new URL(this.origin).hostname);
    return Buffer.concat([relyingParty, Buffer.from([USER_PRESENT_AND_VERIFIED | flags]), counter]);
  }
}
