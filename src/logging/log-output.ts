import { pino, type DestinationStream } from 'pino';

/** Buffering time of response lines. A write call costs more than everything else about a line. */
const MAX_DELAY_MS = 100;
const MAX_BUFFERED_CHARACTERS = 32 * 1024;
/** A pipe does not mix a write of at most this size with the writes of other processes (POSIX: PIPE_BUF; 512 or more). */
const MAX_ATOMIC_BYTES = 4096;

/**
 * Standard output, in the order of logging. Lines that must be written before the next step (audit events, warnings, errors)
 * are written immediately, after the lines that are buffered.
 */
export class LogOutput {
  private readonly standardOutput = pino.destination({ sync: true });
  private bufferedLines = '';
  private timer: NodeJS.Timeout | undefined;
  private isShared = false;

  /** For lines that must not be lost when the process crashes. */
  readonly immediate: DestinationStream = {
    write: (line) => {
      this.bufferedLines += line;
      this.flush();
    },
  };

  /** For the lines of responses. */
  readonly buffered: DestinationStream = {
    write: (line) => {
      this.bufferedLines += line;
      if (this.bufferedLines.length >= MAX_BUFFERED_CHARACTERS) {
        this.flush();
      } else {
        this.timer ??= setTimeout(() => this.flush(), MAX_DELAY_MS).unref();
      }
    },
  };

  constructor() {
    process.once('exit', () => this.flush());
  }

  /** Other processes write to the same standard output: write complete lines, in small parts. */
  share(): void {
    this.isShared = true;
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const lines = this.bufferedLines;
    this.bufferedLines = '';
    if (lines !== '') {
      const parts = this.isShared ? partsOf(lines, MAX_ATOMIC_BYTES) : [lines];
      parts.forEach((part) => this.standardOutput.write(part));
    }
  }
}

/** Splits text after ends of lines. @returns parts of at most `maxBytes` bytes; a longer line is a part of its own */
export function partsOf(lines: string, maxBytes: number): string[] {
  const parts: string[] = [];
  let part = '';
  let bytes = 0;
  for (const line of lines.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const size = Buffer.byteLength(line);
    if (part !== '' && bytes + size > maxBytes) {
      parts.push(part);
      part = '';
      bytes = 0;
    }
    part += line;
    bytes += size;
  }
  return part === '' ? parts : [...parts, part];
}
