/** The environment of an instance on the test cluster: these variables override the common ones. */
export function testVariables(
  variables: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return {
    REDIS_NODES: process.env['TEST_REDIS_NODES'],
    REDIS_USERNAME: process.env['TEST_REDIS_USERNAME'],
    REDIS_PASSWORD: process.env['TEST_REDIS_PASSWORD'],
    // The Redis user may only use keys with this prefix.
    REDIS_KEY_PREFIX: 't-',
    KEY_ENCRYPTION_SECRET: 'a secret that only the tests know about',
    JWT_ISSUER: 'https://keyslot.test',
    LOG_LEVEL: 'silent',
    PORT: '0',
    ...variables,
  };
}
