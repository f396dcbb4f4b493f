/** What real stations do, each on request; the numbers are those of the list of field quirks. */
export type Quirks = {
  /** 8: charging profiles in W only; one in A is rejected, and with it the remote start that carries it. */
  wattsOnly?: boolean;
  /** 11: the answer to ReserveNow on connector 0. */
  reserveZero?: 'Accepted' | 'Rejected' | 'Unavailable';
};
