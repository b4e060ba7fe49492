import { requiredPermissions } from './permission-parameters.js';

describe('the permissions that a forward-auth request requires', () => {
  it.each([
    ['/forward-auth', []],
    ['/forward-auth?', []],
    ['/forward-auth?a=b', []],
    ['/forward-auth?permission=orders:read', ['orders:read']],
    ['/forward-auth?permission=a&b=c&permission=d', ['a', 'd']],
    ['/forward-auth?%70ermission=orders%3Aread', ['orders:read']],
    // Nobody has a permission without a name, so a variable without a value lets nobody through.
    ['/forward-auth?permission', ['']],
    ['/forward-auth?permission=', ['']],
    ['/forward-auth?permission=orders/read', ['orders/read']],
    ['/forward-auth/orders?permission=a', ['a']],
    ['/forward-auth/?permission=a', ['a']],
    // The target of the original request after the parameters of the proxy.
    ['/forward-auth?/orders?permission=a&permission=b', []],
    ['/forward-auth?permission=a&/orders?permission=b&permission=c', ['a']],
    ['/forward-auth?permission=a&/orders/%E9%zz', ['a']],
  ])('%s', (target, expected) => {
    expect(requiredPermissions(target)).toEqual(expected);
  });
});
