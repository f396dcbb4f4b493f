import { outbound } from '../outbound/outbound.ts';
import { tokenSource } from './client-credentials.ts';
import type { ContractCertificateProvider } from './contract-certificates.ts';
import { opcpProvider } from './opcp.ts';
import type { ContractPoolOptions } from './options.ts';

/** The pool of contract certificates that the settings name. */
export function contractPool(
  { url, token, credentials }: ContractPoolOptions,
  now: () => Date,
): ContractCertificateProvider {
  // The operator has chosen the address, so it may well be one of his own.
  const request = outbound({ allowPrivate: true });
  if (credentials) return opcpProvider({ url, request, token: tokenSource(credentials, { request, now }) });
  return opcpProvider({ url, request, ...(token !== undefined && { token: async () => token }) });
}
