import { ApiProblem, open } from './client';

const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 10_000;
/** As `Retry-After` of the API says. Another stream has to end first. */
const PAUSE_WHEN_FULL_MS = 30_000;

export interface StreamListener {
  onEvent(type: string, data: unknown): void;
  /** @param error why the stream is closed; undefined while it is open, and when the server has ended it */
  onState(isOpen: boolean, error?: unknown): void;
}

/** Follows server-sent events, and connects again when the connection is lost. @returns a function that ends it */
export function follow(path: string, listener: StreamListener): () => void {
  const abort = new AbortController();
  void keepFollowing(path, listener, abort.signal);
  return () => abort.abort();
}

async function keepFollowing(
  path: string,
  listener: StreamListener,
  signal: AbortSignal,
): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    let error: unknown;
    try {
      const body = await open(path, signal);
      listener.onState(true);
      pauseMs = FIRST_PAUSE_MS;
      await read(body, listener);
    } catch (reason) {
      error = reason;
    }
    if (!signal.aborted) {
      listener.onState(false, error);
      const wait = isFull(error) ? PAUSE_WHEN_FULL_MS : pauseMs;
      await new Promise((resolve) => setTimeout(resolve, wait));
      pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
    }
  }
}

/** Whether the session has too many streams open, in other tabs for example. */
function isFull(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 429;
}

async function read(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  listener: StreamListener,
): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    const blocks = (text + value).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = /^data: ?(.*)$/m.exec(block)?.[1];
      if (data !== undefined) {
        listener.onEvent(/^event: ?(.*)$/m.exec(block)?.[1] ?? 'message', JSON.parse(data));
      }
    }
  }
}
