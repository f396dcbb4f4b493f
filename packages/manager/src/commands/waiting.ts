/** Those who wait for commands to be completed, whichever manager completes them. */
export class Waiting {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Tells those who wait for a command that it is completed. */
  wake(commandId: string): void {
    for (const resolve of this.#waiting.get(commandId) ?? []) resolve();
  }

  /** Resolves when a command is completed, or after so many milliseconds. */
  async wait(commandId: string, ms: number): Promise<void> {
    const resolvers = this.#waiting.get(commandId) ?? new Set();
    this.#waiting.set(commandId, resolvers);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, ms);
      function done(): void {
        clearTimeout(timer);
        resolvers.delete(done);
        resolve();
      }
      resolvers.add(done);
    });
    if (resolvers.size === 0) this.#waiting.delete(commandId);
  }

  /** Lets everybody go: the manager ends. */
  close(): void {
    for (const commandId of this.#waiting.keys()) this.wake(commandId);
  }
}
