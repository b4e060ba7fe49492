import { pino, type DestinationStream } from 'pino';

/** A write to the operating system costs more than all else that a line costs: lines of answers gather for so long. */
const MAX_DELAY_MS = 100;
const MAX_GATHERED = 32 * 1024;

/**
 * Standard output, in the order in which lines were logged. What has to be on record before the next step (audit events,
 * warnings, errors) is written at once, with all that gathered before it.
 */
export class LogOutput {
  private readonly standardOutput = pino.destination({ sync: true });
  private gatheredLines = '';
  private timer: NodeJS.Timeout | undefined;

  /** For lines that must not be lost with the process. */
  readonly atOnce: DestinationStream = {
    write: (line) => {
      this.gatheredLines += line;
      this.flush();
    },
  };

  /** For the many that tell of requests. */
  readonly gathered: DestinationStream = {
    write: (line) => {
      this.gatheredLines += line;
      if (this.gatheredLines.length >= MAX_GATHERED) {
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
    const lines = this.gatheredLines;
    this.gatheredLines = '';
    if (lines !== '') {
      this.standardOutput.write(lines);
    }
  }
}
