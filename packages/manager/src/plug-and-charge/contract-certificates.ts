/** An EV's request for a contract certificate, in the EXI that the station passes on unread. */
export interface ContractCertificateRequest {
  /** Base64. */
  exiRequest: string;
  /** Such as urn:iso:15118:2:2013:MsgDef. */
  schemaVersion: string;
  action: 'Install' | 'Update';
  signal: AbortSignal;
}

/** A pool of contract certificates: answers EVs' requests with responses signed by a provisioning service. */
export interface ContractCertificateProvider {
  /** The EXI response for the EV, in base64. Rejects when there is none, or when `signal` aborts. */
  get15118EVCertificate(request: ContractCertificateRequest): Promise<string>;
}
