import type { Requests, Responses } from '@evander/ocpp';
import { VENDOR_IDS, type Dialect } from '../options/dialect.ts';
import { CertificateRequest } from '../security/certificate-request.ts';
import type { OcspRequestData } from './fields.ts';
import { authorize, type AuthorizeAnswer, type AuthorizeRequest } from './messages/authorize.ts';
import {
  get15118EVCertificate,
  type EvCertificateAnswer,
  type EvCertificateRequest,
} from './messages/get-15118-ev-certificate.ts';
import { getCertificateStatus, type GetCertificateStatusAnswer } from './messages/get-certificate-status.ts';
import { signCertificate, type SignCertificateAnswer, type SigningUse } from './messages/sign-certificate.ts';
import type { PncStation } from './pnc-station.ts';
import { answerThrough, callThrough, type Tunnelled } from './tunnel.ts';
import { V2gCertificates } from './v2g-certificates.ts';

/** ISO 15118 Plug & Charge over DataTransfer: the station's requests and answers, and its certificates for cars. */
export class PlugAndCharge {
  readonly certificates: V2gCertificates;
  readonly #station: PncStation;
  readonly #requests: { readonly [U in SigningUse]: CertificateRequest<Tunnelled<SignCertificateAnswer>> };

  constructor(station: PncStation) {
    this.#station = station;
    this.certificates = new V2gCertificates(station);
    const request = (type: SigningUse) =>
      new CertificateRequest(station, () =>
        callThrough(station, this.dialect, signCertificate, { csr: this.#createCsr(type), type }),
      );
    this.#requests = {
      V2GCertificate: request('V2GCertificate'),
      ChargingStationCertificate: request('ChargingStationCertificate'),
    };
  }

  /** Throws if the station does not support Plug & Charge. */
  get dialect(): Dialect {
    const { stationId, options } = this.#station;
    if (options.pnc) return options.pnc;
    throw new Error(`${stationId} has no Plug & Charge; give it the option pnc, 'oca' or 'has2be'`);
  }

  /** Whether it is supported and enabled. */
  get isEnabled(): boolean {
    const { options, configuration } = this.#station;
    return options.pnc !== undefined && configuration.isTrue('ISO15118PnCEnabled');
  }

  /** PNC §5: asks whether this contract may charge. */
  async authorize(request: AuthorizeRequest): Promise<Tunnelled<AuthorizeAnswer>> {
    return callThrough(this.#station, this.dialect, authorize, request);
  }

  /** PNC §6.5: asks whether this certificate was revoked. */
  async getCertificateStatus(request: OcspRequestData): Promise<Tunnelled<GetCertificateStatusAnswer>> {
    return callThrough(this.#station, this.dialect, getCertificateStatus, request);
  }

  /** PNC §3.1: sends a CSR with a new key, and repeats it until a certificate arrives. */
  async signCertificate(use: SigningUse = 'V2GCertificate'): Promise<Tunnelled<SignCertificateAnswer>> {
    return this.#requests[use].start();
  }

  /** PNC §3.2: requests a contract's certificate for a car. */
  async get15118EVCertificate(request: EvCertificateRequest): Promise<Tunnelled<EvCertificateAnswer>> {
    return callThrough(this.#station, this.dialect, get15118EVCertificate, request);
  }

  /** Accepts the chain for the last CSR of its kind; returns its fault if it is not accepted. */
  accept(use: SigningUse, chain: string): string | undefined {
    const { certificates } = use === 'V2GCertificate' ? this : this.#station;
    const fault = certificates.accept(chain);
    if (fault === undefined) this.#requests[use].end();
    return fault;
  }

  /** Whether the station uses this vendorId for Plug & Charge. */
  isSpokenBy(vendorId: string): boolean {
    const { pnc } = this.#station.options;
    return pnc !== undefined && VENDOR_IDS[pnc] === vendorId.toLowerCase();
  }

  /** Answers a DataTransfer with that vendorId. */
  answer(request: Requests['DataTransfer']): Responses['DataTransfer'] {
    return answerThrough(this.#station, this.dialect, request);
  }

  #createCsr(use: SigningUse): string {
    const { own } = use === 'V2GCertificate' ? this.certificates : this.#station.certificates;
    return own.createCsr();
  }
}
