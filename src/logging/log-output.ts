import { pino, type DestinationStream } from 'pino';

/** Buffering time of response lines. A write call costs more than everything else about a line. */
const MAX_DELAY_MS = 100;
const MAX_BUFFERED_CHARACTERS = 32 * 1024;

/**
 * Standard output, in the order of logging. Lines that must be written before the next step (audit events, warnings, errors)
 * are written immediately, after the lines that are buffered.
 */
export class LogOutput {
  private readonly standardOutput = pino.destination({ sync: true });
  private bufferedLines = '';
  private timer: NodeJS.Timeout | undefined;

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

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const lines = this.bufferedLines;
    this.bufferedLines = '';
    if (lines !== '') {
      this.standardOutput.write(lines);
    }
  }
}
