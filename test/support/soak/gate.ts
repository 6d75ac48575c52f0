/** Many at a time, or one alone: those who come while somebody waits to be alone come after that one. */
export class Gate {
  #inside = 0;
  #closed: Promise<void> | undefined;
  #onEmpty: () => void = () => undefined;

  async shared<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed !== undefined) await this.#closed;
    this.#inside += 1;
    try {
      return await work();
    } finally {
      this.#inside -= 1;
      if (this.#inside === 0) this.#onEmpty();
    }
  }

  /** `onClosed` runs once nobody comes in any more, and may end the calls of those inside. */
  async alone<T>(work: () => Promise<T>, onClosed: () => Promise<void> = () => Promise.resolve()): Promise<T> {
    while (this.#closed !== undefined) await this.#closed;
    let open: () => void = () => undefined;
    this.#closed = new Promise((resolve) => (open = resolve));
    try {
      const isEmpty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
      await onClosed();
      if (this.#inside > 0) await isEmpty;
      return await work();
    } finally {
      this.#closed = undefined;
      open();
    }
  }
}
