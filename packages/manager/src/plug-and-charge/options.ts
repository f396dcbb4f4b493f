/** How Plug & Charge is run; all of it may be left out. */
export interface PncOptions {
  /** PEM file with the key and the certificates of the authority that signs V2G certificates; the built-in one does when unset. */
  v2gCaFile?: string;
  contractPool?: ContractPoolOptions;
  has2beFailure?: 'Failed' | 'Rejected';
}

export interface ContractPoolOptions {
  url: string;
  /** One that does not change, or where tokens are had; neither where the pool asks for none. */
  token?: string;
  credentials?: { tokenUrl: string; clientId: string; clientSecret: string; audience?: string };
}
