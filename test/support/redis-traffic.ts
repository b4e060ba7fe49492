import { Decoder } from 'ioredis/built/resp/decoder.js';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { Socket } from 'node:net';

import { productScripts } from './lua-script.js';

/** A diagnostics channel that reports each new client socket before its first write. */
const NEW_SOCKETS = 'net.client.socket';
/** Background commands between clients and nodes. */
const HOUSEKEEPING = /^(cluster|client|ping|hello|auth|info|readonly|ssubscribe|quit|asking)\b/;
/**
 * Background work of an instance: its lease, its clock, its entry in the registry, its checks of the signing keys, of the
 * directory of users and of the outbox for mails, and posts to silent instances.
 */
export const OWN_WORK: ReadonlySet<string> = new Set([
  'renew-inbox',
  'report-instance',
  'list-instances',
  'watch-changes',
  'describe-keys',
  'adopt-key',
  'take-due-entries',
  'take-due-mails',
  'post-again',
  'close-inbox',
  'time',
]);

/** Lua scripts of the product, by the SHA-1 digest that Redis uses. */
export const scriptsBySha1: ReadonlyMap<
  string,
  { readonly name: string; readonly source: string }
> = new Map(
  productScripts().map(({ name, sha1, source }) => [
    sha1,
    { name: basename(name, '.lua'), source },
  ]),
);

/** Commands that this process has sent to Redis during a period. */
export interface Sent {
  /**
   * One text for each write to a socket, with its commands; scripts by name. One write is one round trip: the Redis client
   * writes a complete pipeline at once, and the caller awaits every reply.
   */
  readonly writes: readonly string[];
  /** Whether the instance did background work, which the servers' counters cannot distinguish. */
  readonly isDisturbed: boolean;
}

/**
 * Observes the sockets from this process to some ports. Exact, unlike a proxy: it does not depend on how TCP splits
 * the data.
 */
export class RedisTraffic {
  /** The number of scripts since the start. */
  scripts = 0;
  private writes: string[][] = [];
  private readonly ports: ReadonlySet<number>;

  /** Create it before the application connects. */
  constructor(ports: readonly number[]) {
    this.ports = new Set(ports);
    subscribe(NEW_SOCKETS, this.watch);
  }

  stop(): void {
    unsubscribe(NEW_SOCKETS, this.watch);
  }

  forget(): void {
    this.writes = [];
  }

  get sent(): Sent {
    const commands = this.writes.flat();
    return {
      writes: this.writes
        .map((write) => write.filter((name) => !OWN_WORK.has(name)))
        .filter((write) => write.some((name) => name !== 'wait'))
        .map((write) => write.join(' ')),
      isDisturbed: commands.some((name) => OWN_WORK.has(name)),
    };
  }

  private readonly watch = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    // Not earlier, because connecting restores the socket's own `write`.
    socket.once('connect', () => {
      if (this.ports.has(socket.remotePort ?? 0)) {
        this.listenTo(socket);
      }
    });
  };

  private listenTo(socket: Socket): void {
    const commandsIn = commandReader();
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (...args: unknown[]): boolean => {
      const names = commandsIn(args[0] as string | Buffer).map(nameOf);
      const notable = names.filter((name) => !HOUSEKEEPING.test(name));
      if (notable.length > 0) {
        this.scripts += notable.filter(isScript).length;
        this.writes.push(notable);
      }
      return write(...args);
    };
  }
}

const names = new Set(Array.from(scriptsBySha1.values(), ({ name }) => name));

function isScript(name: string): boolean {
  return names.has(name.replace(/ as text$/, ''));
}

function nameOf([command = '', argument = '']: readonly string[]): string {
  switch (command.toLowerCase()) {
    case 'evalsha':
      return scriptsBySha1.get(argument)?.name ?? 'unknown script';
    case 'eval': {
      const sha1 = createHash('sha1').update(argument).digest('hex');
      return `${scriptsBySha1.get(sha1)?.name ?? 'unknown script'} as text`;
    }
    default:
      return command.toLowerCase();
  }
}

/** Parses commands with the parser of ioredis: commands are arrays of strings, like replies. */
function commandReader(): (data: string | Buffer) => string[][] {
  let commands: string[][] = [];
  const fail = (reply: unknown): never => {
    throw new Error(`not a command: ${String(reply)}`);
  };
  const decoder = new Decoder({
    getTypeMapping: () => ({}),
    onReply: (words: unknown) =>
      commands.push(Array.isArray(words) ? words.map(String) : fail(words)),
    onErrorReply: fail,
    onPush: fail,
  });
  return (data) => {
    commands = [];
    decoder.write(Buffer.from(data as string));
    return commands;
  };
}
