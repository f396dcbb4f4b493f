export { credentialsFromManager, ManagerAwayError } from './credentials.ts';
export type { Credentials, CredentialSource, ManagerCredentialsOptions } from './credentials.ts';
export { startGateway } from './gateway.ts';
export type { Gateway, GatewayOptions } from './gateway.ts';
export type { CertificateSource, ServerCertificates } from './server-certificates.ts';
export { gatewayProcess } from './process.ts';
export { GATEWAY_SETTINGS, gatewayOptions } from './settings.ts';
export type { GatewaySettings } from './settings.ts';
