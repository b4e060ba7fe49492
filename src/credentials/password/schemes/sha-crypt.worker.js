/*
 * SHA-crypt (https://www.akkadia.org/drepper/SHA-crypt.txt) in a thread of its own. node:crypto has SHA-2, but not this
 * construction. JavaScript, because tests run TypeScript only in the main thread.
 */
import { createHash, hash as hashOnce } from 'node:crypto';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';

const DIGITS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** How the specification orders the bytes of the result: three at a time, each group one step further. */
const ORDERS = {
  sha256: {
    groups: Array.from({ length: 10 }, (_, step) => rotated([0, 10, 20], step, 2)),
    last: [31, 30],
  },
  sha512: {
    groups: Array.from({ length: 21 }, (_, step) => rotated([0, 21, 42], step, 1)),
    last: [63],
  },
};

if (workerData.priority !== undefined) {
  try {
    // On Linux, it concerns only this thread.
    setPriority(workerData.priority);
  } catch {
    // Without permission, the thread keeps its priority.
  }
}
parentPort.postMessage(shaCrypt(workerData));

/** @param {import('./sha-crypt.scheme.js').ShaCryptInput} input */
function shaCrypt({ algorithm, password, salt, rounds }) {
  const hash = (parts) => {
    const sum = createHash(algorithm);
    parts.forEach((part) => sum.update(part));
    return sum.digest();
  };
  const key = Buffer.from(password);
  const saltBytes = Buffer.from(salt);

  const alternate = hash([key, saltBytes, key]);
  const first = [key, saltBytes, repeated(alternate, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1) {
    first.push(bits & 1 ? alternate : key);
  }
  let digest = hash(first);

  const keySequence = repeated(hash(Array(key.length).fill(key)), key.length);
  const saltSequence = repeated(hash(Array(16 + digest[0]).fill(saltBytes)), saltBytes.length);
  for (let round = 0; round < rounds; round += 1) {
    const isOdd = round % 2 === 1;
    const parts = [isOdd ? keySequence : digest];
    if (round % 3 !== 0) {
      parts.push(saltSequence);
    }
    if (round % 7 !== 0) {
      parts.push(keySequence);
    }
    parts.push(isOdd ? digest : keySequence);
    digest = hashOnce(algorithm, Buffer.concat(parts), 'buffer');
  }
  return textOf(digest, ORDERS[algorithm]);
}

/** The bytes again and again, up to the length. */
function repeated(bytes, length) {
  return Buffer.alloc(length, bytes);
}

function textOf(digest, { groups, last }) {
  const text = groups.map(([high, middle, low]) =>
    digits((digest[high] << 16) | (digest[middle] << 8) | digest[low], 4),
  );
  const rest = last.reduce((value, index) => (value << 8) | digest[index], 0);
  return [...text, digits(rest, last.length + 1)].join('');
}

/** The lowest six bits first. */
function digits(value, count) {
  return Array.from({ length: count }, (_, index) => DIGITS[(value >> (6 * index)) & 63]).join('');
}

function rotated(start, step, shift) {
  return start.map((_, index) => start[(index + step * shift) % 3] + step);
}
