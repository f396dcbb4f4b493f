import type { ViolationsContext } from '../connection/violations.ts';
import type { Caller } from '../context/station-context.ts';
import type { Certificates } from '../security/certificates.ts';
import type { NewCertificateContext } from '../security/new-certificate.ts';
import type { SigningUse } from './messages/sign-certificate.ts';
import type { V2gCertificates } from './v2g-certificates.ts';

/** Parts of the station that Plug & Charge and its commands use. */
export type PncStation = NewCertificateContext &
  ViolationsContext &
  Caller & {
    readonly certificates: Certificates;
    readonly pnc: {
      readonly isEnabled: boolean;
      readonly certificates: V2gCertificates;
      /** Accepts the chain for the last CSR of its kind; returns its fault if it is not accepted. */
      accept(use: SigningUse, chain: string): string | undefined;
      signCertificate(use: SigningUse): Promise<unknown>;
    };
  };
