import { setting, SettingsError } from '@evander/process';
import type { Settings } from '@evander/process';
import type { ContractPoolOptions, PncOptions } from './options.ts';

/** The settings of Plug & Charge. */
export const PNC_SETTINGS = {
  v2gCaFile: setting(
    'EVANDER_V2G_CA_FILE',
    'text',
    undefined,
    'PEM file that signs the V2G certificates of stations: a private key, its certificate, then the sub-CAs above it. If unset, the built-in authority signs them, or an operator if EVANDER_CERTIFICATE_AUTHORITY is not builtin',
  ),
  contractPoolUrl: setting(
    'EVANDER_CONTRACT_POOL_URL',
    'httpUrl',
    undefined,
    'URL of the contract pool for EVs: the operation signedContractData of an OPCP service, such as https://…/v1/ccp/signedContractData',
  ),
  contractPoolToken: setting(
    'EVANDER_CONTRACT_POOL_TOKEN',
    'text',
    undefined,
    'Fixed bearer token for the contract pool',
  ),
  contractPoolTokenUrl: setting(
    'EVANDER_CONTRACT_POOL_TOKEN_URL',
    'httpUrl',
    undefined,
    'URL of the token server for the contract pool (OAuth 2 client credentials)',
  ),
  contractPoolClientId: setting(
    'EVANDER_CONTRACT_POOL_CLIENT_ID',
    'text',
    undefined,
    'Client id for the token server',
  ),
  contractPoolClientSecret: setting(
    'EVANDER_CONTRACT_POOL_CLIENT_SECRET',
    'text',
    undefined,
    'Client secret for the token server',
  ),
  contractPoolAudience: setting(
    'EVANDER_CONTRACT_POOL_AUDIENCE',
    'text',
    undefined,
    'Audience for the token server, if it requires one',
  ),
  has2beFailure: setting(
    'EVANDER_HAS2BE_FAILURE',
    ['Failed', 'Rejected'],
    'Failed',
    'Status of a failed GetCertificateStatus in the has.to.be dialect; implementations differ',
  ),
};

type PncSettings = Settings<typeof PNC_SETTINGS>;

/** Options of Plug & Charge from the settings. Throws SettingsError when settings are inconsistent. */
export function pncOptions(settings: PncSettings): PncOptions {
  const { v2gCaFile, has2beFailure } = settings;
  const contractPool = poolOptions(settings);
  return {
    has2beFailure,
    ...(v2gCaFile !== undefined && { v2gCaFile }),
    ...(contractPool && { contractPool }),
  };
}

function poolOptions(settings: PncSettings): ContractPoolOptions | undefined {
  const { contractPoolUrl: url, contractPoolToken: token, contractPoolTokenUrl: tokenUrl } = settings;
  const { contractPoolClientId: clientId, contractPoolClientSecret: clientSecret } = settings;
  if (url === undefined) return undefined;
  if (tokenUrl === undefined) return { url, ...(token !== undefined && { token }) };
  if (clientId === undefined || clientSecret === undefined)
    throw new SettingsError(
      'EVANDER_CONTRACT_POOL_TOKEN_URL is set: EVANDER_CONTRACT_POOL_CLIENT_ID and EVANDER_CONTRACT_POOL_CLIENT_SECRET must be set too',
    );
  const audience = settings.contractPoolAudience;
  return {
    url,
    credentials: { tokenUrl, clientId, clientSecret, ...(audience !== undefined && { audience }) },
  };
}
