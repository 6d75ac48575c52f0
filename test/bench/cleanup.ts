/** What a benchmark has to take away again, in the order in which it was made. */
export class Cleanup {
  readonly #steps: (() => unknown)[] = [];

  /** Gives `thing` back, so that it can be said where it is made. */
  add<T>(thing: T, close: (thing: T) => unknown): T {
    this.#steps.push(() => close(thing));
    return thing;
  }

  /** The last first. Every step is tried; throws what the first that failed threw. */
  async run(): Promise<void> {
    const errors: unknown[] = [];
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch (thrown) {
        errors.push(thrown);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

/** Runs `prepare`; should it fail, what it has made so far is taken away and its error thrown. */
export async function prepareWith<T extends object>(
  prepare: (cleanup: Cleanup) => Promise<T>,
): Promise<T & { readonly close: () => Promise<void> }> {
  const cleanup = new Cleanup();
  try {
    return { ...(await prepare(cleanup)), close: () => cleanup.run() };
  } catch (thrown) {
    await cleanup.run().catch(() => undefined); // the first error tells more
    throw thrown;
  }
}
