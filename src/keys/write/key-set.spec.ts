import { parseKeySet } from './key-set.js';

describe('the stored key set', () => {
  it('is undefined while the cluster has no key', () => {
    expect(parseKeySet([5, []])).toBeUndefined();
  });

  it('of the previous version has a key of unknown age', () => {
    const stored = ['current', 'a', 'public', '{}', 'private', 'sealed', 'issuer', 'https://id'];

    expect(parseKeySet([5, stored])).toEqual({
      now: 5,
      signing: { kid: 'a', encryptedKey: 'sealed', isAdopted: false },
      retired: [],
      withdrawn: new Map(),
    });
  });

  it('has keys of every state, without their private halves', () => {
    const waiting = { kid: 'b', public: '{}', private: 'sealed', createdAt: 3, signsFrom: 4 };
    const stored = [
      ...['current', 'a', 'public', '{}', 'private', 'sealed', 'issuer', 'https://id'],
      ...['createdAt', '1', 'signsFrom', '2', 'isAdopted', '1', 'next', JSON.stringify(waiting)],
      ...['retired:c', '{"public":"{}","createdAt":0,"signsUntil":1,"removeAt":9}'],
      ...['retired:d', '{"public":"{}","createdAt":0,"signsUntil":2}', 'withdrawn:e', '7'],
    ];

    expect(parseKeySet([5, stored])).toEqual({
      now: 5,
      signing: { kid: 'a', encryptedKey: 'sealed', isAdopted: true, createdAt: 1, signsFrom: 2 },
      published: { kid: 'b', createdAt: 3, signsFrom: 4 },
      retired: [
        { kid: 'd', createdAt: 0, signsUntil: 2 },
        { kid: 'c', createdAt: 0, signsUntil: 1, removeAt: 9 },
      ],
      withdrawn: new Map([['e', 7]]),
    });
  });
});
