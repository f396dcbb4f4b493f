/** The greatest of the integers of 32 bits: of OCPP's, as most stations read them, and of PostgreSQL's type `integer`. */
export const INT32_MAX = 2 ** 31 - 1;
