import { countSlots, parseClusterNodes } from './cluster-nodes.js';

const parse = (line: string) => parseClusterNodes(`${line}\n`)[0]!;
const line = (address: string, flags: string, ...rest: string[]): string =>
  ['07c3', address, flags, '-', '0', '1', '5', 'connected', ...rest].join(' ');

describe('a line of CLUSTER NODES', () => {
  it.each([
    ['127.0.0.1:7000@17000', '127.0.0.1', '127.0.0.1', 7000],
    ['127.0.0.1:7000', '127.0.0.1', '127.0.0.1', 7000],
    ['10.0.0.1:6379@16379,node-1.example', 'node-1.example', '10.0.0.1', 6379],
    ['10.0.0.1:6379@16379,,shard-id=1', '10.0.0.1', '10.0.0.1', 6379],
    ['2001:db8::1:6379@16379', '2001:db8::1', '2001:db8::1', 6379],
  ])('has the address %s', (address, host, ip, port) => {
    expect(parse(line(address, 'master'))).toMatchObject({ host, ip, port });
  });

  it.each([
    ['master', { isMaster: true, isUp: true, isKnown: true, isFailed: false }],
    ['myself,slave', { isMyself: true, isReplica: true, isMaster: false }],
    ['master,fail?', { isUp: false, isKnown: true, isFailed: false }],
    ['slave,fail', { isUp: false, isKnown: true, isFailed: true }],
    ['handshake', { isUp: false, isKnown: false }],
    ['slave,noaddr', { isUp: false, isKnown: false, isFailed: true }],
  ])('has the flags %s', (flags, expected) => {
    expect(parse(line('127.0.0.1:7000@17000', flags))).toMatchObject(expected);
  });

  it('has its slots, and counts migrating slots for their old node', () => {
    const node = parse(
      line('127.0.0.1:7000@17000', 'myself,master', '0-99', '200', '[99->-07c4]', '[7-<-07c5]'),
    );

    expect(node.slots).toEqual([
      [0, 99],
      [200, 200],
    ]);
    expect(countSlots(node.slots)).toBe(101);
    expect(node.isMoving).toBe(true);
    expect(parse(line('127.0.0.1:7000@17000', 'master', '0-99')).isMoving).toBe(false);
  });

  it('names the master of a replica only', () => {
    const replica = '07c4 127.0.0.1:7001@17001 slave 07c3 0 1 5 connected';

    expect(parse(replica).masterId).toBe('07c3');
    expect(parse(line('127.0.0.1:7000@17000', 'master')).masterId).toBeUndefined();
    expect(parse(replica.replace('connected', 'disconnected')).isUp).toBe(false);
  });
});
