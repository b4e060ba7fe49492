import { within } from './within.js';

export interface ServerSentEvent<Data = unknown> {
  readonly type: string;
  readonly data: Data;
}

/** Reads server-sent events. Its end is the end of the iteration. */
export async function* eventsOf(response: Response): AsyncGenerator<ServerSentEvent> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const field = (name: string): string | undefined =>
        new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1];
      const data = field('data');
      if (data !== undefined) {
        yield { type: field('event') ?? 'message', data: JSON.parse(data) as unknown };
      }
    }
  }
}

/** The next event that meets a condition. Fails when the stream ends before. */
export async function nextEvent<Data>(
  events: AsyncIterator<ServerSentEvent>,
  what: string,
  isWanted: (event: ServerSentEvent<Data>) => boolean,
): Promise<ServerSentEvent<Data>> {
  const find = async (): Promise<ServerSentEvent<Data>> => {
    for (;;) {
      const { value, done } = (await events.next()) as IteratorResult<ServerSentEvent<Data>>;
      if (done === true) {
        throw new Error(`the stream ended before ${what}`);
      }
      if (isWanted(value)) {
        return value;
      }
    }
  };
  return within(what, 30_000, find());
}
