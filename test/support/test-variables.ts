/** The environment of an instance on the test cluster: what these variables say, over what all tests share. */
export function testVariables(
  variables: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return {
    REDIS_NODES: process.env['TEST_REDIS_NODES'],
    REDIS_USERNAME: process.env['TEST_REDIS_USERNAME'],
    REDIS_PASSWORD: process.env['TEST_REDIS_PASSWORD'],
    // The user has the keys that begin so, and no others.
    REDIS_KEY_PREFIX: 't-',
    KEY_ENCRYPTION_SECRET: 'a secret that only the tests know about',
    JWT_ISSUER: 'https://keyslot.test',
    LOG_LEVEL: 'silent',
    PORT: '0',
    ...variables,
  };
}
