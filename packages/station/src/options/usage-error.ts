/** A usage error; its message says what to use instead. */
export class UsageError extends Error {}
