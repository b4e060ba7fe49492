import { networkOf, siteOf } from './network-address.js';

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
