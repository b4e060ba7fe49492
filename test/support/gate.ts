/** Blocks one caller, the first or a later one, until it is opened. */
export class Gate {
  readonly reached: Promise<void>;
  private arrive!: () => void;
  open!: () => void;
  private readonly opened = new Promise<void>((open) => (this.open = open));
  private visits = 0;

  constructor() {
    this.reached = new Promise((arrive) => (this.arrive = arrive));
  }

  async pass<T>(value: T, which = 1): Promise<T> {
    this.visits += 1;
    if (this.visits === which) {
      this.arrive();
      await this.opened;
    }
    return value;
  }
}
