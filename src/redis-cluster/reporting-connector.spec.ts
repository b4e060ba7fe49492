import { connectorReporting } from './reporting-connector.js';

describe('a connection that cannot be opened', () => {
  it('tells why once, and ends nothing when it fails again', async () => {
    const told: string[] = [];
    const Connector = connectorReporting({ tls: undefined }, (address, error) =>
      told.push(`${address} ${error.message}`),
    );
    const connector = new Connector({ host: '127.0.0.1', port: 1, disconnectTimeout: 100 });

    const stream = await connector.connect(() => undefined);
    await new Promise((resolve) => stream.once('close', resolve));

    expect(() => stream.emit('error', new Error('once more'))).not.toThrow();
    expect(told).toEqual(['127.0.0.1:1 connect ECONNREFUSED 127.0.0.1:1']);
    connector.disconnect();
  });
});
