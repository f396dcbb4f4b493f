/** Options of Plug & Charge; all are optional. */
export interface PncOptions {
  /** PEM file with the key and certificates of the authority that signs V2G certificates; the built-in authority when unset. */
  v2gCaFile?: string;
  contractPool?: ContractPoolOptions;
  has2beFailure?: 'Failed' | 'Rejected';
}

export interface ContractPoolOptions {
  url: string;
  /** A static token, or the credentials to obtain tokens with; neither if the pool requires none. */
  token?: string;
  credentials?: { tokenUrl: string; clientId: string; clientSecret: string; audience?: string };
}
