/** Asks the authenticator for a proof. @returns what the API expects */
export async function presentPasskey(options: unknown): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    options as PublicKeyCredentialRequestOptionsJSON,
  );
  return ((await navigator.credentials.get({ publicKey })) as PublicKeyCredential).toJSON();
}

export async function createPasskey(options: unknown): Promise<object> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    options as PublicKeyCredentialCreationOptionsJSON,
  );
  return ((await navigator.credentials.create({ publicKey })) as PublicKeyCredential).toJSON();
}
