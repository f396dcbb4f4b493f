/** Lets requests wait for commands to be completed, by any manager. */
export class Waiting {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Wakes all that wait for a command. */
  wake(commandId: string): void {
    for (const resolve of this.#waiting.get(commandId) ?? []) resolve();
  }

  /** Resolves when a command is completed, or after `ms`. */
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

  /** Wakes all that wait, on shutdown. */
  close(): void {
    for (const commandId of this.#waiting.keys()) this.wake(commandId);
  }
}
