/** A parsed form. Unknown fields are ignored (RFC 6749 section 3.2). */
export type Form = Readonly<Record<string, string>> | undefined;

/** @returns undefined for a missing or empty field: RFC 6749 section 3.2 treats both alike */
export function field(form: Form, name: string): string | undefined {
  return form && Object.hasOwn(form, name) ? form[name] || undefined : undefined;
}
