import {
  KafkaContext,
  MqttContext,
  NatsContext,
  RedisContext,
  RmqContext,
  TcpContext,
} from '@nestjs/microservices';

import { messageRequest } from './message-request.js';

const TOKEN = 'Bearer a.b.c';
const PAYLOAD = { headers: { authorization: 'Bearer of.the.payload' } };

/** In the form of `@grpc/grpc-js`. */
class Metadata {
  constructor(private readonly values: string[]) {}
  get(name: string): string[] {
    return name === 'authorization' ? this.values : [];
  }
  getMap(): object {
    return {};
  }
}

/** In the form of `@nats-io/nats-core`: names are case-sensitive. */
const natsHeaders = (headers: Record<string, string[]>): object => ({
  keys: () => Object.keys(headers),
  values: (name: string) => headers[name] ?? [],
});

const context = <Context>(
  type: new (args: never) => Context,
  ...args: unknown[]
): Context & object => new type(args as never) as Context & object;
const kafka = (headers: object): object => context(KafkaContext, { headers });
const rabbit = (headers?: object): object => context(RmqContext, { properties: { headers } });
const mqtt = (userProperties: object): object =>
  context(MqttContext, 'topic', { properties: { userProperties } });

const tokensOf = (payload: unknown, of: unknown): unknown =>
  messageRequest(payload, of)?.rawHeaders?.filter((_, index) => index % 2 === 1);

describe('the request of a message', () => {
  it.each([
    ['gRPC', new Metadata([TOKEN])],
    ['NATS', context(NatsContext, 'subject', natsHeaders({ Authorization: [TOKEN] }))],
    ['Kafka', kafka({ authorization: Buffer.from(TOKEN) })],
    ['RabbitMQ', rabbit({ Authorization: TOKEN })],
    ['MQTT 5', mqtt({ authorization: TOKEN })],
  ])('has the token of the headers of %s, not that of the payload', (_, of) => {
    expect(tokensOf(PAYLOAD, of)).toEqual([TOKEN]);
  });

  it.each([
    ['TCP', context(TcpContext, {}, 'pattern')],
    ['Redis', context(RedisContext, 'channel')],
  ])('has the token of the payload of %s, which has no headers', (_, of) => {
    expect(tokensOf({ headers: { Authorization: TOKEN } }, of)).toEqual([TOKEN]);
  });

  it.each([
    ['gRPC', new Metadata([])],
    ['NATS', context(NatsContext, 'subject', undefined)],
    ['Kafka', kafka({})],
    ['RabbitMQ', rabbit()],
    ['MQTT', context(MqttContext, 'topic', {})],
  ])('has no token without headers in %s', (_, of) => {
    expect(tokensOf(PAYLOAD, of)).toEqual([]);
  });

  it.each([null, undefined, 'text', 7, {}, { headers: null }, { headers: 'authorization' }])(
    'has no token in the payload %j',
    (payload) => {
      expect(tokensOf(payload, context(TcpContext, {}, 'pattern'))).toEqual([]);
    },
  );

  it('keeps several tokens, which the guard refuses', () => {
    const both = { authorization: TOKEN, Authorization: [TOKEN, TOKEN] };

    expect(tokensOf(undefined, kafka(both))).toEqual([TOKEN, TOKEN, TOKEN]);
    expect(tokensOf(undefined, new Metadata([TOKEN, TOKEN]))).toEqual([TOKEN, TOKEN]);
  });

  it.each([[7], [{ toString: () => TOKEN }], [null]])('has no text for the value %j', (value) => {
    expect(tokensOf(undefined, kafka({ authorization: value }))).toEqual(['']);
  });

  it('is the same for all guards of a message', () => {
    const of = context(TcpContext, {}, 'pattern');

    expect(messageRequest(PAYLOAD, of)).toBe(messageRequest(PAYLOAD, of));
    expect(messageRequest(PAYLOAD, undefined)).toBeUndefined();
  });
});
