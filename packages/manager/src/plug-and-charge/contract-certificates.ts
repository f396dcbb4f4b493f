/** What an EV asks for, in the EXI that a station passes on unread. */
export interface ContractCertificateRequest {
  /** Base64. */
  exiRequest: string;
  /** Such as urn:iso:15118:2:2013:MsgDef. */
  schemaVersion: string;
  action: 'Install' | 'Update';
  signal: AbortSignal;
}

/** A pool of contract certificates: it answers what EVs ask for, signed by a provisioning service. */
export interface ContractCertificateProvider {
  /** The EXI for the EV in base64. Rejects when there is none, or when `signal` says that it comes too late. */
  get15118EVCertificate(request: ContractCertificateRequest): Promise<string>;
}
