import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { answersOf, expectSameBody } from './same-answer.js';

describe('the responses of the peers', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      const isKnown = request.headers.authorization === 'Bearer t';
      response.writeHead(isKnown ? 200 : 401, { 'X-Own': 'yes' }).end('{"id":1}');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('are requested with the credential, and compared without the standard headers', async () => {
    const { body, headers } = await answersOf({ url }, 'Authorization: Bearer t');

    expect(body).toBe('{"id":1}');
    expect(headers).toEqual({ 'x-own': 'yes' });
  });

  it('must have identical bodies', async () => {
    await expect(expectSameBody({ url }, 'Authorization: Bearer t', '{"id":1}')).resolves.toBe(8);
    await expect(expectSameBody({ url }, 'Authorization: Bearer t', '{"id": 1}')).rejects.toThrow(
      'instead of {"id": 1}',
    );
  });

  it('must not be errors', async () => {
    await expect(answersOf({ url }, 'Authorization: Bearer u')).rejects.toThrow('answers 401');
  });
});
