import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream';
import pick from 'stream-json/filters/pick.js';
import parser from 'stream-json/parser.js';
import streamArray from 'stream-json/streamers/stream-array.js';

import { OperatorError } from '../../common/operator-error/index.js';
import { isObject } from './formats/members.js';
import { RefusedRecord, type SourceRecord } from './imported-user.js';

/** How the records are arranged: one in each line, in a list, or in the list `users` of an object. */
type Arrangement = 'lines' | 'list' | 'users';

const HEAD_BYTES = 64 * 1024;
/** A record is far smaller. */
const MAX_LINE_LENGTH = 1024 * 1024;

/**
 * Reads the records of a JSON file one after the other, so that memory does not grow with the file. Records are lines, the
 * elements of a list, or the elements of `users` in an object.
 *
 * @throws OperatorError when the file cannot be read, or is no JSON from some element on
 */
export async function* readJsonFile(path: string): AsyncGenerator<SourceRecord> {
  const arrangement = arrangementOf(await headOf(path));
  yield* arrangement === 'lines' ? lines(path) : elements(path, arrangement);
}

async function headOf(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return withoutMark(buffer.toString('utf8', 0, bytesRead)).trimStart();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

function arrangementOf(head: string): Arrangement {
  if (head.startsWith('[')) {
    return 'list';
  }
  if (!head.startsWith('{')) {
    return 'lines';
  }
  const first = parsed(head.split('\n', 1)[0]!);
  if (first instanceof RefusedRecord) {
    // An object that continues after the first line, or after the head, is the only one of the file.
    return isLine(head) ? 'lines' : 'users';
  }
  return isObject(first) && Array.isArray(first['users']) ? 'users' : 'lines';
}

/** Whether the second line begins another record, so that only the first record is damaged. */
function isLine(head: string): boolean {
  const [first = '', second = ''] = head.split('\n', 2);
  return first.trim().length > 1 && second.startsWith('{');
}

async function* lines(path: string): AsyncGenerator<SourceRecord> {
  const input = createReadStream(path, 'utf8');
  const failed = new Promise<never>((_, reject) => {
    input.once('error', (error) => reject(unreadable(path, error)));
  });
  failed.catch(() => undefined);
  let line = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Infinity })) {
      line += 1;
      const record = line === 1 ? withoutMark(text) : text;
      if (record.trim() !== '') {
        yield { position: { line }, value: parsed(record) };
      }
    }
  } finally {
    input.destroy();
  }
  if (input.errored) {
    await failed;
  }
}

async function* elements(
  path: string,
  arrangement: Exclude<Arrangement, 'lines'>,
): AsyncGenerator<SourceRecord> {
  const input = createReadStream(path);
  const picked = arrangement === 'users' ? [pick.asStream({ filter: 'users' })] : [];
  const list = streamArray.asStream();
  // Errors destroy the last stream, so the loop throws them.
  pipeline([input, parser.asStream(), ...picked, list], () => undefined);
  let element = 0;
  try {
    for await (const { value } of list as AsyncIterable<{ readonly value: unknown }>) {
      element += 1;
      yield { position: { element }, value };
    }
  } catch (error) {
    throw input.errored
      ? unreadable(path, input.errored)
      : new OperatorError(`${path} is not valid JSON after ${element} users.`, { cause: error });
  } finally {
    input.destroy();
  }
}

/** @returns the value, or why there is none */
function parsed(text: string): unknown {
  if (text.length > MAX_LINE_LENGTH) {
    return new RefusedRecord('invalid-json', 'the line is too long');
  }
  try {
    return JSON.parse(text);
  } catch {
    // The message of the error would quote the text.
    return new RefusedRecord('invalid-json');
  }
}

function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '');
}

function unreadable(path: string, error: unknown): OperatorError {
  return new OperatorError(`${path} cannot be read: ${(error as Error).message}.`, {
    cause: error,
  });
}
