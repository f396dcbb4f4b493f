import { outbound } from '../outbound/outbound.ts';
import { tokenSource } from './client-credentials.ts';
import type { ContractCertificateProvider } from './contract-certificates.ts';
import { opcpProvider } from './opcp.ts';
import type { ContractPoolOptions } from './options.ts';

/** The pool of contract certificates that the settings configure. */
export function contractPool(
  { url, token, credentials }: ContractPoolOptions,
  now: () => Date,
): ContractCertificateProvider {
  // The operator chose the address, so a private one is allowed.
  const request = outbound({ allowPrivate: true });
  if (credentials) return opcpProvider({ url, request, token: tokenSource(credentials, { request, now }) });
  return opcpProvider({ url, request, ...(token !== undefined && { token: async () => token }) });
}
