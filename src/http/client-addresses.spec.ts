import { bareAddresses } from './client-addresses.js';

describe('the entries of X-Forwarded-For', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:51008', '203.0.113.7'],
    ['203.0.113.7:51008, 10.0.0.1:4321', '203.0.113.7, 10.0.0.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['[::FFFF:203.0.113.7]:443', '203.0.113.7'],
    ['::ffff:cb00:7107', '203.0.113.7'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:443', 'fe80::1'],
    ['"203.0.113.7:51008"', '203.0.113.7'],
    ['"[2001:db8::1]:443"', '2001:db8::1'],
    ['for=203.0.113.7', '203.0.113.7'],
    ['for="[2001:db8::1]:443";proto=https', '2001:db8::1'],
    [' 203.0.113.7 ,,10.0.0.1,', '203.0.113.7, 10.0.0.1'],
  ])('are plain addresses, with or without ports, brackets and quotes: %s', (sent, bare) => {
    expect(bareAddresses(sent)).toBe(bare);
  });

  it.each([
    'garbage',
    'unknown',
    '_hidden',
    '1',
    '999.1.1.1',
    '203.0.113.7:port',
    '203.0.113.7:1:2',
    '[203.0.113',
    'proxy.internal:4321',
    '203.0.113.7 10.0.0.1',
    '{"level":"fatal"}',
  ])('are unknown when they are not addresses: %s', (sent) => {
    expect(bareAddresses(`203.0.113.9, ${sent}`)).toBe('203.0.113.9, unknown');
  });
});
