import { Secret as OtpSecret, TOTP } from 'otpauth';

import type { ProofContext, SecondFactor } from '../second-factor.js';

/** RFC 4226 section 4, R6: at least 128 bits, and 160 recommended. */
const SECRET_BYTES = 20;
/** RFC 6238 section 5.2: the code of one step before and one after counts, too. */
const SKEW_STEPS = 1;
const CODE = /^\d{6}$/;

interface TotpState {
  /** In base32. */
  readonly secret: string;
  /** The step of the last code that was accepted. Earlier codes and this one are refused (RFC 6238 section 5.2). */
  readonly lastStep: number;
}

export interface TotpEnrolment {
  readonly state: string;
  /** In base32, for an authenticator that cannot scan. */
  readonly secret: string;
  /** `otpauth://totp/…` */
  readonly uri: string;
  /** The URI as a QR code: an SVG document. */
  readonly qr: string;
}

/** Codes of an authenticator application (RFC 6238): SHA-1, six digits, 30 seconds, which every application supports. */
export class TotpFactor implements SecondFactor {
  readonly type = 'totp';
  readonly methods = ['otp'] as const;
  readonly isOnly = true;
  readonly isGuessable = true;

  /** @param issuer the name of this service in the application */
  constructor(private readonly issuer: string) {}

  /** @param label the name of the account in the application */
  async enrol(label: string): Promise<TotpEnrolment> {
    const totp = this.totpOf(new OtpSecret({ size: SECRET_BYTES }), label);
    const secret = totp.secret.base32;
    const uri = totp.toString();
    const state: TotpState = { secret, lastStep: 0 };
    // Only enrolments need it, and its start is slow.
    const { toString: toQrCode } = await import('qrcode');
    return { state: JSON.stringify(state), secret, uri, qr: await toQrCode(uri, { type: 'svg' }) };
  }

  check(text: string, proof: unknown, { nowMs }: ProofContext): Promise<string | undefined> {
    const { secret, lastStep } = JSON.parse(text) as TotpState;
    if (typeof proof !== 'string' || !CODE.test(proof)) {
      return Promise.resolve(undefined);
    }
    const totp = this.totpOf(OtpSecret.fromBase32(secret), '');
    const delta = totp.validate({ token: proof, timestamp: nowMs, window: SKEW_STEPS });
    const step = totp.counter({ timestamp: nowMs }) + (delta ?? 0);
    if (delta === null || step <= lastStep) {
      return Promise.resolve(undefined);
    }
    const next: TotpState = { secret, lastStep: step };
    return Promise.resolve(JSON.stringify(next));
  }

  private totpOf(secret: OtpSecret, label: string): TOTP {
    return new TOTP({
      issuer: this.issuer,
      label,
      secret,
      algorithm: 'SHA1',
      digits: 6,
      period: 30,
    });
  }
}
