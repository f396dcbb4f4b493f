/** The largest 32-bit integer: for OCPP integers, as most stations read them, and for PostgreSQL's type `integer`. */
export const INT32_MAX = 2 ** 31 - 1;
