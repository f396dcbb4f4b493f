/** A mistake of the user's; its message says what to write instead. */
export class UsageError extends Error {}
