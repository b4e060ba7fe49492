import { networkOf, normalAddress, siteOf } from './network-address.js';

describe('an address that is shown, logged and counted', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7:5678', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:C000:0207', '192.0.2.7'],
    ['0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'],
    ['[::ffff:192.0.2.7]:443', '192.0.2.7'],
    ['::1', '::1'],
    ['[::1]:1234', '::1'],
    ['[::1]', '::1'],
    ['2001:DB8::00A1', '2001:db8::a1'],
    ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:443', 'fe80::1'],
  ])('has one form: %j is %j', (address, normal) => {
    expect(normalAddress(address)).toBe(normal);
    expect(normalAddress(normal)).toBe(normal);
    expect(networkOf(address)).toBe(networkOf(normal));
  });

  it.each(['', 'garbage', 'unknown', '999.1.1.1', '1', '0x7f.1', '010.0.0.1', '192.0.2.7:1:2'])(
    'is unchanged when it is not an IP address: %j',
    (text) => {
      expect(normalAddress(text)).toBe(text);
      expect(networkOf(text)).toBe(text);
    },
  );
});

describe('the network of an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7:5678', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:aaaa::1', '2001:db8:1:2::'],
    ['[2001:db8:1:2:bbbb::2]:443', '2001:db8:1:2::'],
    ['garbage', 'garbage'],
    ['999.1.1.1', '999.1.1.1'],
    ['', ''],
  ])('of %j is %j', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('the site of a network', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2::', '2001:db8:1::'],
    ['2001:db8:1:ffff::', '2001:db8:1::'],
    ['2001:db8:2:2::', '2001:db8:2::'],
    ['garbage', 'garbage'],
    ['', ''],
  ])('of %j is %j', (network, site) => {
    expect(siteOf(network)).toBe(site);
  });
});
