import type { FastifyReply, FastifyRequest } from 'fastify';
import { pino } from 'pino';

import { RequestLog } from './request-log.js';

describe('the log of a worker', () => {
  it.each([undefined, new Error('the client has gone')])(
    'names the worker once in each line, with the error %s',
    (error) => {
      let line = '';
      const output = { write: (text: string) => (line = text) };
      const log = new RequestLog(pino({ base: { worker: 2 } }, output), output, 2);
      const request = { id: 'an id', method: 'GET', ip: '::1', routeOptions: { url: '/a' } };

      log.requestCompleted(
        error,
        request as unknown as FastifyRequest,
        { statusCode: 200, elapsedTime: 1 } as FastifyReply,
      );

      expect(line.match(/"worker":2/g)).toHaveLength(1);
    },
  );
});
